-- company_prices: one row per product_id, company_id: the range of the company's
-- prices.
select
    asked_prices.product_id,
    company_stores.company_id,
    min(asked_prices.price) as lowest_price,
    max(asked_prices.price) as highest_price,
    count(*) as stores
from asked_prices
left join company_stores on asked_prices.store_id = company_stores.store_id
group by
    asked_prices.product_id,
    company_stores.company_id
