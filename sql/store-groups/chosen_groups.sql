-- chosen_groups: one row per store_id: stores that join others, by the method asked
-- for.
-- The other method's branch is never computed.
select
    store_id,
    group_id
from price_groups
where $method = 'price'
union all
select
    store_id,
    group_id
from geography_groups
where $method = 'geography'
