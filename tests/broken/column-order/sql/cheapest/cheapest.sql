select
    min(price) as price,
    product_id
from prices
group by product_id
