-- candidates: one row per pair of products and level that it reaches.
select *
from strict_names
union all
select *
from similar_sizes
union all
select *
from similar_products
