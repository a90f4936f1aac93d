-- members: one row per super_category, category_id: each category once, however often
-- it is listed.
select distinct
    super_category,
    category_id
from found_categories
