-- store_without_group: stores that no group holds.
with members as (
    select unnest(stores) as store_id
    from store_groups
)

select
    stores.id as store_id,
    stores.company
from stores
left join members on stores.id = members.store_id
where members.store_id is null
