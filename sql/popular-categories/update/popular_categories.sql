-- popular_categories: one row per name; its categories are the members' table.
select
    name,
    slug,
    product_count,
    companies
from artifact
