-- members: one row per super_category and category_id, however often it is listed.
select distinct
    super_category,
    category_id
from found_categories
