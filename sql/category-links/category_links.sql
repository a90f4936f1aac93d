-- category_links: one row per category_a, category_b: the linked pairs, the lower id
-- first.
-- Names come first: only pairs that do not match are looked at for their products.
with shared as (
    select
        overlaps.category_a,
        overlaps.category_b,
        100 * overlaps.common_count >= $close_overlap * overlaps.either_count
            as is_close,
        100 * overlaps.common_count >= $distant_overlap * overlaps.either_count
            as is_distant
    from overlaps
    left join matches
        on
            overlaps.category_a = matches.category_a
            and overlaps.category_b = matches.category_b
    where matches.category_a is null
)

select
    category_a,
    category_b,
    'MATCH' as link_type
from matches

union all

select
    category_a,
    category_b,
    case when is_close then 'CLOSE' else 'DISTANT' end as link_type
from shared
where is_close or is_distant
