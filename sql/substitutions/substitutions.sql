-- substitutions: one row per product_a, product_b: each pair at its strictest level.
with ranked as (
    select
        *,
        row_number() over (
            partition by product_a, product_b
            order by level
        ) as level_rank
    from candidates
)

select
    product_a,
    product_b,
    level,
    score,
    source
from ranked
where level_rank = 1
