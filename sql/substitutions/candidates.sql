-- candidates: one row per product_a, product_b, level: each pair at every level that it
-- reaches.
select *
from strict_names
union all
select *
from similar_sizes
union all
select *
from similar_products
