-- extremes: one row per product_id: its cheapest and its dearest price.
-- A tie goes to the lowest store, whatever the order of the rows; of the record ids
-- those rows' own are taken, which need not be the lowest.
select
    product_id,
    count(*) as price_count,
    min(price) as cheapest_price,
    max(price) as dearest_price,
    arg_min(store_id, price) as cheapest_store_id,
    arg_max(store_id, price) as dearest_store_id,
    arg_min(price_record_id, price, store_id) as cheapest_price_record_id,
    arg_max(price_record_id, price, -store_id) as dearest_price_record_id
from prices
group by product_id
