-- What the service exports: a view `export_<dataset>` each. Names and lists are
-- looked up row by row, so that rows keep the key's order without a sort, and what
-- nobody asks for costs nothing.

create view export_prices as
select
    product_id,
    store_id,
    price_cents as price,
    price_record_id,
    scraped_date,
    sku
from prices;

create view export_products as
select
    id,
    name,
    normalized_name,
    brand_id,
    size,
    barcode,
    (
        select json_group_array(category_id)
        from (
            select category_id
            from product_categories
            where product_id = products.id
            order by category_id
        )
    ) as category
from products;

create view export_stores as
select
    id,
    name,
    (select name from companies where companies.id = company_id) as company,
    (select name from divisions where divisions.id = division_id) as division,
    latitude,
    longitude
from stores;

create view export_companies as
select id, name
from companies;

create view export_categories as
select id, name, company_id as company
from categories;

create view export_categories_with_products as
select
    id,
    name,
    company_id as company,
    (
        select json_group_array(product_id)
        from (
            select product_id
            from product_categories
            where category_id = categories.id
            order by product_id
        )
    ) as product_ids
from categories;

create view export_category_links as
select category_a as category_a_id, category_b as category_b_id, link_type
from category_links;

-- What a view cannot say of its columns: the type, and the place in the key, from
-- 1. A decimal is an integer in units of its scale, a list is JSON.
create table export_columns (
    dataset text not null,
    name text not null,
    type text not null,
    key_position bigint,
    primary key (dataset, name)
) without rowid;

insert into export_columns (dataset, name, type, key_position) values
    ('prices', 'product_id', 'bigint', 1),
    ('prices', 'store_id', 'bigint', 2),
    ('prices', 'price', 'decimal(18,2)', null),
    ('prices', 'price_record_id', 'bigint', null),
    ('prices', 'scraped_date', 'date', null),
    ('prices', 'sku', 'text', null),
    ('products', 'id', 'bigint', 1),
    ('products', 'name', 'text', null),
    ('products', 'normalized_name', 'text', null),
    ('products', 'brand_id', 'bigint', null),
    ('products', 'size', 'text', null),
    ('products', 'barcode', 'text', null),
    ('products', 'category', 'bigint[]', null),
    ('stores', 'id', 'bigint', 1),
    ('stores', 'name', 'text', null),
    ('stores', 'company', 'text', null),
    ('stores', 'division', 'text', null),
    ('stores', 'latitude', 'double', null),
    ('stores', 'longitude', 'double', null),
    ('companies', 'id', 'bigint', 1),
    ('companies', 'name', 'text', null),
    ('categories', 'id', 'bigint', 1),
    ('categories', 'name', 'text', null),
    ('categories', 'company', 'bigint', null),
    ('categories_with_products', 'id', 'bigint', 1),
    ('categories_with_products', 'name', 'text', null),
    ('categories_with_products', 'company', 'bigint', null),
    ('categories_with_products', 'product_ids', 'bigint[]', null),
    ('category_links', 'category_a_id', 'bigint', 1),
    ('category_links', 'category_b_id', 'bigint', 2),
    ('category_links', 'link_type', 'text', null);
