-- changes: one row per company, product_id, category_id: each product in every category
-- of the company that it is in, and once without a category.
select
    product_changes.*,
    cast(null as bigint) as category_id,
    cast(null as text) as category
from product_changes
union all
select
    product_changes.*,
    company_categories.category_id,
    company_categories.category
from product_changes
inner join company_categories
    on product_changes.company = company_categories.company
    and product_changes.product_id = company_categories.product_id
