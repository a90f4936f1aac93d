-- strict_names: one row per product_a, product_b: pairs that differ in their size
-- alone.
with known as (
    select *
    from sized_products
    where base is not null
)

select
    known.product_id as product_a,
    other.product_id as product_b,
    'LVL1' as level,
    cast(1 as double) as score,
    'local_strict_name_v1' as source
from known
inner join known as other
    on known.brand_id = other.brand_id
    and known.normalized_name = other.normalized_name
    and known.product_id < other.product_id
where
    known.base <> other.base
    or known.packs <> other.packs
    or known.amount <> other.amount
