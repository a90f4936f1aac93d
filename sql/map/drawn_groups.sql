-- drawn_groups: one row per store_id: stores in a group of the kind that is drawn.
-- Unless groups of prices are asked for, no prices are fetched.
select
    store_id,
    group_number
from price_groups
where $colour_by = 'price'
union all
select
    store_id,
    group_number
from close_groups
where $colour_by <> 'price'
