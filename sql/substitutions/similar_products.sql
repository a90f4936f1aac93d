-- similar_products: one row per product_a, product_b, level: pairs whose names mean
-- alike, with a category in common (LVL3) or only linked ones (LVL4).
with pairs as (
    select
        level,
        unnest(similar['pairs']) as pair
    from similar_sets
),

models as (
    select
        case embedding_model()
            when 'minilm' then 'sbert'
            else embedding_model()
        end as model
)

select
    pairs.pair['a'] as product_a,
    pairs.pair['b'] as product_b,
    pairs.level,
    cast(pairs.pair['score'] as double) as score,
    concat(
        'local_',
        models.model,
        case pairs.level when 'LVL4' then '_linked_v1' else '_v1' end
    ) as source
from pairs
cross join models
