-- similar_sets: one row per level: for LVL3 and LVL4 the pairs, and how many there were
-- before each product was held to its best max_per_product.
-- LVL3 compares within categories, LVL4 within groups of linked ones and without a
-- category in common. Pairs of a stricter level are left out of both: they count
-- against no limit.
with strict_pairs as (
    select
        product_a,
        product_b
    from strict_names
    union all
    select
        product_a,
        product_b
    from similar_sizes
),

settled as (
    select
        product_a as product_id,
        array_agg(product_b order by product_b) as others
    from strict_pairs
    group by product_a
),

compared as (
    select
        name_vectors.*,
        settled.others
    from name_vectors
    left join settled on name_vectors.product_id = settled.product_id
),

sets as (
    select
        'LVL3' as level,
        vector_set(product_id, vector, categories, null, others) as vectors
    from compared
    union all
    select
        'LVL4' as level,
        vector_set(
            product_id, vector, category_groups, categories, others
        ) as vectors
    from compared
)

select
    level,
    similar_vectors(
        vectors,
        case embedding_model()
            when 'ngram' then $min_cosine_ngram
            else $min_cosine
        end,
        $max_per_product
    ) as similar
from sets
