-- company_prices: one row per product_id, company_id: the range of the company's
-- prices.
-- A price of zero is none. A company goes by its lowest store, a number.
with companies as (
    select
        id as store_id,
        min(id) over (partition by company) as company_id
    from stores
)

select
    prices.product_id,
    companies.company_id,
    min(prices.price) as lowest_price,
    max(prices.price) as highest_price,
    count(*) as stores
from prices
left join companies on prices.store_id = companies.store_id
where prices.price > 0
group by
    prices.product_id,
    companies.company_id
