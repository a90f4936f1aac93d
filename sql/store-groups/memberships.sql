-- memberships: one row per store_id: the group that it is in.
-- A store that joins no other is its own group.
select
    stores.id as store_id,
    stores.company,
    coalesce(chosen_groups.group_id, stores.id) as group_id,
    coalesce(price_counts.price_count, 0) as price_count
from stores
left join chosen_groups on stores.id = chosen_groups.store_id
left join price_counts on stores.id = price_counts.store_id
