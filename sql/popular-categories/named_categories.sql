-- named_categories: one row per category_id: its name without blanks around it, and as
-- it is compared, in any case.
with trimmed as (
    select
        id as category_id,
        company as company_id,
        regexp_replace(name, '^\s+|\s+$', '', 'g') as name,
        cast(coalesce(cardinality(product_ids), 0) as bigint) as product_count
    from categories_with_products
)

select
    category_id,
    company_id,
    name,
    fold_case(name) as folded_name,
    product_count
from trimmed
