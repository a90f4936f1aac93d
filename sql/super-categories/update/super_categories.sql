-- super_categories: one row per name.
select super_category as name
from artifact
