-- found_categories: one row per super_category, category_name, category_id: the
-- categories that each row of the list names, by their id, or by their name: equal
-- without the blanks around it, in any case.
with categories as (
    select
        id as category_id,
        fold_case(name) as folded_name
    from categories_with_products
),

wanted as (
    select
        super_category,
        category_name,
        category_id is null as is_by_name,
        try_cast(category_id as bigint) as category_id,
        fold_case(category_name) as folded_name
    from wanted_categories
)

select
    wanted.super_category,
    wanted.category_name,
    categories.category_id
from wanted
inner join categories on wanted.category_id = categories.category_id
union
select
    wanted.super_category,
    wanted.category_name,
    categories.category_id
from wanted
inner join categories on wanted.folded_name = categories.folded_name
where wanted.is_by_name
