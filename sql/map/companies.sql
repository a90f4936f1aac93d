-- companies: one row per company: those that are drawn, each with its number by name,
-- its stores and its colour: the seed's, or one of its own, far from that of the one
-- before.
with counted as (
    select
        company,
        count(*) as store_count
    from shown_stores
    group by company
)

select
    counted.company,
    row_number() over (order by counted.company) as company_number,
    counted.store_count,
    coalesce(
        company_colours.colour,
        concat(
            'hsl(',
            row_number() over (
                partition by company_colours.colour is null
                order by counted.company
            ) * 137 % 360,
            ', 62%, 42%)'
        )
    ) as colour
from counted
left join company_colours on lower(counted.company) = lower(company_colours.company)
