-- pair_out_of_order: pairs whose first product is not the lower.
select
    product_a,
    product_b,
    level
from substitutions
where product_a >= product_b
