-- price_groups: one row per store_id: stores that price like others of their company,
-- with the number of their group within the company.
with numbered as (
    select
        stores,
        cast(row_number() over (
            partition by company
            order by stores[1]
        ) as bigint) - 1 as group_number
    from store_groups
    where cardinality(stores) > 1
)

select
    unnest(stores) as store_id,
    group_number
from numbered
