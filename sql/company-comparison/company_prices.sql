-- company_prices: one row per company_number, product_id: the lowest price that one of
-- the company's stores asks.
select
    numbered_stores.company_number,
    asked_prices.product_id,
    min(asked_prices.price) as price
from asked_prices
inner join numbered_stores on asked_prices.store_id = numbered_stores.store_id
group by
    numbered_stores.company_number,
    asked_prices.product_id
