-- store_group_members: one row per store_id, with its group's id.
select
    unnest(stores) as store_id,
    stores[1] as group_id
from artifact
