-- usual_prices: one row per product_id: the price that most companies would call usual,
-- where there are enough of them.
-- Each of three companies or more has one vote, its median price; of fewer, each of
-- three stores or more has one; two stores cannot outvote each other.
with company_medians as (
    select
        product_id,
        company_id,
        median(price) as price
    from claimed_prices
    group by
        product_id,
        company_id
),

by_company as (
    select
        product_id,
        count(*) as companies,
        median(price) as price
    from company_medians
    group by product_id
),

by_store as (
    select
        product_id,
        count(*) as stores,
        median(price) as price
    from claimed_prices
    group by product_id
)

select
    by_store.product_id,
    case
        when by_company.companies >= 3 then by_company.price
        when by_store.stores >= 3 then by_store.price
    end as usual_price
from by_store
inner join by_company on by_store.product_id = by_company.product_id
