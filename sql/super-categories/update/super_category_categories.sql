-- super_category_categories: one row per super_category and category_id.
select
    super_category,
    unnest(category_ids) as category_id
from artifact
