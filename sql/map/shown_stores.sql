-- shown_stores: one row per store_id: stores that are drawn: of the company asked for,
-- in a place that can be right, with the group they are in.
select
    placed_stores.store_id,
    placed_stores.company,
    placed_stores.name,
    placed_stores.latitude,
    placed_stores.longitude,
    drawn_groups.group_number
from placed_stores
left join drawn_groups on placed_stores.store_id = drawn_groups.store_id
left join suspicious_stores
    on placed_stores.store_id = suspicious_stores.store_id
where
    suspicious_stores.store_id is null
    and ($company = '' or lower(placed_stores.company) = lower($company))
