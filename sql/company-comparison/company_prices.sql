-- company_prices: one row per company_number, product_id: the lowest price that one of
-- the company's stores asks. A price of zero is none.
select
    companies.company_number,
    prices.product_id,
    min(prices.price) as price
from prices
inner join companies on prices.store_id = companies.store_id
where prices.price > 0
group by
    companies.company_number,
    prices.product_id
