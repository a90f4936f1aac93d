-- not_over_min_ratio: bargains that are no more than min_ratio times dearer.
select
    product_id,
    store_id,
    percentage_difference
from bargains
where percentage_difference <= cast(($min_ratio - 1) * 100 as double)
