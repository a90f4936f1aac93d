-- drawing: one row: the land and the stores, as SVG without its outermost element.
with land_path as (
    select string_agg(path, '' order by outline) as path
    from outlines
    where kind = 'land'
),

border_path as (
    select string_agg(path, '' order by outline) as path
    from outlines
    where kind = 'border'
),

all_dots as (
    -- Those with few stores lie on top.
    select
        string_agg(
            rtrim(dots.svg, chr(10)), chr(10)
            order by companies.store_count desc, dots.company_number
        ) as svg
    from dots
    inner join companies on dots.company_number = companies.company_number
)

select
    land_path.path as land,
    border_path.path as border,
    all_dots.svg as dots
from land_path
cross join border_path
cross join all_dots
