-- price_ties: one row per store_a, store_b: stores of a company that ask the same
-- prices, the lower id first; none by geography.
-- Each price carries its company's lowest store, a number, and not the company's name;
-- the name is looked up for the few that are left.
with matrices as (
    select
        company_stores.company_id,
        price_matrix(
            prices.store_id, prices.product_id, prices.price
        ) as matrix
    from prices
    inner join company_stores on prices.store_id = company_stores.store_id
    where $method = 'price'
    group by company_stores.company_id
),

agreements as (
    select
        company_id,
        price_agreement(matrix, $min_products, $min_agreement) as pairs
    from matrices
),

pairs as (
    select
        company_id,
        unnest(pairs) as pair
    from agreements
)

select
    known_stores.company,
    pairs.pair['store_a'] as store_a,
    pairs.pair['store_b'] as store_b,
    pairs.pair['common'] as common_count,
    pairs.pair['same'] as same_count,
    pairs.pair['prices_a'] as price_count_a,
    pairs.pair['prices_b'] as price_count_b
from pairs
inner join known_stores on pairs.company_id = known_stores.store_id
