-- company_categories: one row per company, product_id, category_id: the categories of
-- each company with their products.
select
    companies.name as company,
    categories.id as category_id,
    categories.name as category,
    unnest(categories.product_ids) as product_id
from categories_with_products as categories
inner join companies on categories.company = companies.id
