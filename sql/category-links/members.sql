-- members: one row per category_id, product_id: the products of each category.
with listed as (
    select
        id as category_id,
        company as company_id,
        unnest(product_ids) as product_id
    from categories_with_products
)

select distinct
    category_id,
    company_id,
    product_id
from listed
