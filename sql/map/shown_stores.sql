-- shown_stores: one row per store_id that is drawn: of the company asked for, in a
-- place that can be right, with the cluster of close stores it is in.
with groups as (
    select
        store_id,
        dbscan(latitude, longitude, 25, 3) over (
            partition by company
            order by store_id
        ) as group_number
    from placed_stores
)

select
    placed_stores.store_id,
    placed_stores.company,
    placed_stores.name,
    placed_stores.latitude,
    placed_stores.longitude,
    groups.group_number
from placed_stores
inner join groups on placed_stores.store_id = groups.store_id
left join suspicious_stores
    on placed_stores.store_id = suspicious_stores.store_id
where
    suspicious_stores.store_id is null
    and ($company = '' or lower(placed_stores.company) = lower($company))
