-- anchors: one row per store_id: the store whose prices stand for its group.
-- Most prices, then the lowest store.
select
    store_id,
    company,
    first_value(store_id) over (
        partition by group_id
        order by price_count desc, store_id
    ) as anchor
from memberships
