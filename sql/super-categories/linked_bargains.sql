-- linked_bargains: one row per super_category, product_id: the products that are
-- bargains in this snapshot.
with products as (
    select
        members.super_category,
        unnest(categories_with_products.product_ids) as product_id
    from members
    inner join categories_with_products
        on members.category_id = categories_with_products.id
)

select distinct
    products.super_category,
    bargains.product_id,
    bargains.store_id
from products
inner join bargains on products.product_id = bargains.product_id
