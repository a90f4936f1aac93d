-- store_without_group: stores that no group holds.
with members as (
    select unnest(stores) as store_id
    from store_groups
)

select
    known_stores.store_id,
    known_stores.company
from known_stores
left join members on known_stores.store_id = members.store_id
where members.store_id is null
