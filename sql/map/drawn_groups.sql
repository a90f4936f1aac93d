-- drawn_groups: one row per store_id in a group of the kind that is drawn. Unless groups
-- of prices are asked for, nothing of prices is fetched.
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
