-- matches: one row per category_a, category_b: pairs of categories of different
-- companies whose names mean alike, the lower id first, with their score.
with embedded as (
    select
        id as category_id,
        company as company_id,
        embed(name) as vector
    from categories
),

compared as (
    select
        similar_vectors(
            vector_set(category_id, vector, [1], [company_id]),
            $min_cosine
        ) as similar
    from embedded
),

pairs as (
    select unnest(similar['pairs']) as pair
    from compared
)

select
    pair['a'] as category_a,
    pair['b'] as category_b,
    pair['score'] as score
from pairs
