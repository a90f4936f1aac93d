-- price_counts: one row per store_id that has prices.
select
    store_id,
    count(*) as price_count
from prices
group by store_id
