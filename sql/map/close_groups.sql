-- close_groups: one row per store_id: stores that lie among others of their company,
-- with the number of their group within the company.
with clusters as (
    select
        store_id,
        dbscan(latitude, longitude, 25, 3) over (
            partition by company
            order by store_id
        ) as group_number
    from placed_stores
)

select *
from clusters
where group_number is not null
