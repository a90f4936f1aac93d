-- memberships: one row per store_id: the group that it is in.
-- A store that joins no other is its own group.
select
    known_stores.store_id,
    known_stores.company,
    coalesce(chosen_groups.group_id, known_stores.store_id) as group_id,
    coalesce(price_counts.price_count, 0) as price_count
from known_stores
left join chosen_groups on known_stores.store_id = chosen_groups.store_id
left join price_counts on known_stores.store_id = price_counts.store_id
