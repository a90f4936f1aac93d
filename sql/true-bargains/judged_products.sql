-- judged_products: one row per product_id: how many of its prices are out of line.
select
    product_id,
    min(usual_price) as usual_price,
    count(*) as price_count,
    count(*) filter (where is_off_usual) as off_usual,
    count(*) filter (where is_off_history) as off_history,
    count(*) filter (where is_off_usual or is_off_history) as left_out
from judged_prices
group by product_id
