-- price_ties: one row per pair of stores of a company that ask the same prices.
with company_prices as (
    select
        stores.company,
        prices.store_id,
        prices.product_id,
        prices.price
    from prices
    inner join stores on prices.store_id = stores.id
),

agreements as (
    select
        company,
        price_agreement(
            store_id, product_id, price, $min_products, $min_agreement
        ) as pairs
    from company_prices
    group by company
),

pairs as (
    select
        company,
        unnest(pairs) as pair
    from agreements
)

select
    company,
    pair['store_a'] as store_a,
    pair['store_b'] as store_b,
    pair['common'] as common_count,
    pair['same'] as same_count
from pairs
