select
    product_id,
    price
from prices
group by product_id
