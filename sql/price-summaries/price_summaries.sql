-- price_summaries: one row per product_id: products that have a price above zero.
-- A store that the snapshot lacks counts as a store, of no company.
with ranges as (
    select
        product_id,
        min(lowest_price) as lowest_price,
        max(highest_price) as highest_price,
        count(company_id) as companies,
        sum(stores) as stores
    from company_prices
    group by product_id
)

select
    product_id,
    lowest_price,
    highest_price,
    companies,
    stores,
    percentage(highest_price - lowest_price, highest_price) as best_discount
from ranges
