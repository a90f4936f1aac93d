-- popular_names: one row per folded_name: names that enough companies and products
-- have.
-- Products are counted category by category: one in two of them counts twice.
select
    folded_name,
    min(category_id) as first_category_id,
    array_agg(category_id order by category_id) as category_ids,
    sum(product_count) as product_count,
    count(distinct company_id) as companies
from named_categories
where folded_name <> ''
group by folded_name
having
    sum(product_count) >= $min_products
    and count(distinct company_id) >= $min_companies
