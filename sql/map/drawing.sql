-- drawing: one row: the land and the stores, as SVG without its outermost element.
with land_path as (
    select coalesce(string_agg(path, '' order by outline), '') as path
    from outlines
    where kind = 'land'
),

border_path as (
    select coalesce(string_agg(path, '' order by outline), '') as path
    from outlines
    where kind = 'border'
),

all_dots as (
    -- Those with few stores lie on top.
    select coalesce(
        string_agg(svg, chr(10) order by store_count desc, company_number), ''
    ) as svg
    from dots
)

select concat(
    '<path class="land" fill-rule="evenodd" d="', land_path.path, '"/>', chr(10),
    '<path class="border" d="', border_path.path, '"/>', chr(10),
    '<g id="stores">', chr(10), all_dots.svg, chr(10), '</g>'
) as svg
from land_path
cross join border_path
cross join all_dots
