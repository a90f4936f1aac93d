-- similar_sizes: one row per product_a, product_b: pairs of a brand's products with
-- similar names and compatible sizes: the same base and packs, amounts a tenth apart at
-- most.
-- A name whose words are all the other's has ratio 100 and is left out on purpose.
with blocks as (
    select name_list(product_id, name) as names
    from sized_products
    where brand_id is not null and base is not null
    group by brand_id, base, packs
),

similar as (
    select similar_names(names, $min_name_ratio, 100) as pairs
    from blocks
),

pairs as (
    select unnest(pairs) as pair
    from similar
)

select
    pairs.pair['a'] as product_a,
    pairs.pair['b'] as product_b,
    'LVL2' as level,
    cast(0.95 as double) as score,
    'local_size_similarity_v1' as source
from pairs
inner join sized_products as one on pairs.pair['a'] = one.product_id
inner join sized_products as other on pairs.pair['b'] = other.product_id
-- Amounts are integers: a tenth of the smaller, rounded down, loses nothing.
where abs(one.amount - other.amount) <= least(one.amount, other.amount) / 10
