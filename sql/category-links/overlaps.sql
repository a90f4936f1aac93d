-- overlaps: one row per category_a, category_b: pairs of categories of different
-- companies with products in common, the lower id first: how many are in both, and how
-- many in either.
with sizes as (
    select
        category_id,
        count(*) as product_count
    from members
    group by category_id
),

common as (
    select
        one.category_id as category_a,
        other.category_id as category_b,
        count(*) as common_count
    from members as one
    inner join members as other
        on
            one.product_id = other.product_id
            and one.category_id < other.category_id
            and one.company_id <> other.company_id
    group by one.category_id, other.category_id
)

select
    common.category_a,
    common.category_b,
    common.common_count,
    one.product_count + other.product_count - common.common_count as either_count
from common
inner join sizes as one on common.category_a = one.category_id
inner join sizes as other on common.category_b = other.category_id
