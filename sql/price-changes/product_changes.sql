-- product_changes: one row per company, product_id: how many of the company's prices
-- did what. A store of neither snapshot has the empty name for a company.
select
    coalesce(store_companies.company, '') as company,
    compared_prices.product_id,
    count(*) filter (where price_before is null) as new_prices,
    count(*) filter (where price_now is null) as gone_prices,
    count(*) filter (where price_now > price_before) as raised_prices,
    count(*) filter (where price_now < price_before) as lowered_prices,
    count(*) filter (where price_now = price_before) as equal_prices,
    sum(price_before) filter (where price_now is not null) as basket_before,
    sum(price_now) filter (where price_before is not null) as basket_now
from compared_prices
left join store_companies
    on compared_prices.store_id = store_companies.store_id
group by
    coalesce(store_companies.company, ''),
    compared_prices.product_id
