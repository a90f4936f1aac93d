-- store_in_two_groups: stores that more than one group holds, or one group twice.
with members as (
    select unnest(stores) as store_id
    from store_groups
)

select
    store_id,
    count(*) as group_count
from members
group by store_id
having count(*) > 1
