-- heading: one row: what the map is of, and how much of it, in words.
with counts as (
    select
        count(*) as company_count,
        coalesce(sum(store_count), 0) as store_count,
        min(company) as first_company
    from companies
)

select
    case
        when company_count = 1 then concat('Stores of ', left(first_company, 100))
        else 'Stores'
    end as title,
    concat(
        store_count, case when store_count = 1 then ' store' else ' stores' end,
        case
            when company_count > 1 then concat(' of ', company_count, ' companies')
            else ''
        end
    ) as subtitle,
    case $colour_by
        when 'price' then 'groups that price alike; grey: none'
        when 'geography' then 'groups of close stores; grey: none'
        else ''
    end as colouring
from counts
