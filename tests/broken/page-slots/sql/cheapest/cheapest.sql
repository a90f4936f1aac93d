-- cheapest: one row: the lowest price.
select min(price) as price
from prices
