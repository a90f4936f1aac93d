-- popular_category_members: one row per popular category and category_id.
select
    name as popular_category,
    unnest(category_ids) as category_id
from artifact
