-- cheapest: one row: the lowest price, and lines of all others.
select
    min(price) as price,
    count(*) as prise_count,
    array_agg(price order by price) as lines
from prices
