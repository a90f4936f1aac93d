-- categories_not_found: rows of the list that no category answers to any more.
select
    wanted_categories.super_category,
    wanted_categories.category_id,
    wanted_categories.category_name
from wanted_categories
left join categories_with_products
    on try_cast(wanted_categories.category_id as bigint) = categories_with_products.id
left join found_categories
    on wanted_categories.super_category = found_categories.super_category
    and wanted_categories.category_name = found_categories.category_name
where
    case
        when wanted_categories.category_id is null
            then found_categories.category_id is null
        else categories_with_products.id is null
    end
