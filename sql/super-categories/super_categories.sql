-- super_categories: one row per super_category: all of the list, whatever was found of
-- them.
with names as (
    select distinct super_category
    from wanted_categories
),

categories as (
    select
        super_category,
        array_agg(category_id order by category_id) as category_ids
    from members
    group by super_category
),

links as (
    select
        super_category,
        array_agg(
            named_struct('product_id', product_id, 'store_id', store_id)
            order by product_id
        ) as bargains
    from linked_bargains
    group by super_category
)

select
    names.super_category,
    coalesce(categories.category_ids, []) as category_ids,
    coalesce(links.bargains, []) as bargains
from names
left join categories on names.super_category = categories.super_category
left join links on names.super_category = links.super_category
