-- popular_categories: one row per name: popular names, as their lowest category spells
-- them.
select
    named_categories.name,
    slug(named_categories.name) as slug,
    popular_names.category_ids,
    popular_names.product_count,
    popular_names.companies
from popular_names
inner join named_categories
    on popular_names.first_category_id = named_categories.category_id
