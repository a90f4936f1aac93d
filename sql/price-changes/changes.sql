-- changes: one row per company and product_id, and another for each of the company's
-- categories that the product is in.
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
