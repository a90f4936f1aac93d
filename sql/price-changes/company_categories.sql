-- company_categories: one row per company, product_id and category of the company
-- that the product is in.
select
    companies.name as company,
    categories.id as category_id,
    categories.name as category,
    unnest(categories.product_ids) as product_id
from categories_with_products as categories
inner join companies on categories.company = companies.id
