pragma foreign_keys = off;
BEGIN TRANSACTION;
CREATE TABLE applied_artifacts (
    id integer primary key,
    pipeline text not null,
    seq bigint not null,
    sha256 text not null,
    counts text not null,
    applied_at timestamp not null
);
INSERT INTO "applied_artifacts" VALUES(1,'bargains',2,'8ab415ed9e1229e047412b63c30ac8917b1ea8eb4906e777fee8e4ad65874657','[{"table":"bargains","inserted":9,"changed":0,"unchanged":0,"deleted":0,"rejected":0,"collapsed":0}]','2026-11-27T14:38:02.239006Z');
CREATE TABLE bargains (
    product_id integer primary key references products (id) on delete cascade,
    store_id bigint not null references stores (id) on delete cascade,
    cheapest_price_record_id bigint,
    most_expensive_price_record_id bigint,
    percentage_difference double not null
);
INSERT INTO "bargains" VALUES(1,1,1,2,90.0);
INSERT INTO "bargains" VALUES(2,1,3,4,190.0);
INSERT INTO "bargains" VALUES(3,1,5,6,290.0);
INSERT INTO "bargains" VALUES(4,1,7,8,390.0);
INSERT INTO "bargains" VALUES(5,1,9,10,490.0);
INSERT INTO "bargains" VALUES(6,1,11,12,590.0);
INSERT INTO "bargains" VALUES(7,1,13,14,690.0);
INSERT INTO "bargains" VALUES(8,1,15,16,790.0);
INSERT INTO "bargains" VALUES(9,1,17,18,890.0);
CREATE TABLE brands (
    id integer primary key,
    name text not null unique
);
INSERT INTO "brands" VALUES(1,'Dairy Co');
CREATE TABLE categories (
    id integer primary key,
    name text not null,
    company_id bigint not null references companies (id)
);
INSERT INTO "categories" VALUES(1,'Dairy',1);
CREATE TABLE category_links (
    category_a bigint not null references categories (id) on delete cascade,
    category_b bigint not null references categories (id) on delete cascade,
    link_type text not null,
    primary key (category_a, category_b),
    check (category_a < category_b)
) without rowid;
CREATE TABLE companies (
    id integer primary key,
    name text not null unique
);
INSERT INTO "companies" VALUES(1,'Alder');
INSERT INTO "companies" VALUES(2,'Birch');
CREATE TABLE divisions (
    id integer primary key,
    company_id bigint not null references companies (id) on delete cascade,
    name text not null,
    unique (company_id, name)
);
INSERT INTO "divisions" VALUES(1,2,'Express');
CREATE TABLE popular_categories (
    name text not null primary key,
    slug text not null,
    product_count bigint not null,
    companies bigint not null
) without rowid;
CREATE TABLE popular_category_members (
    popular_category text not null
        references popular_categories (name) on delete cascade,
    category_id bigint not null references categories (id) on delete cascade,
    primary key (popular_category, category_id)
) without rowid;
CREATE TABLE prices (
    product_id bigint not null references products (id) on delete cascade,
    store_id bigint not null references stores (id) on delete cascade,
    price_cents bigint not null
        check (typeof(price_cents) = 'integer' and price_cents >= 0),
    price_record_id bigint,
    scraped_date date,
    sku text,
    primary key (product_id, store_id)
) without rowid;
INSERT INTO "prices" VALUES(1,1,100,1,NULL,NULL);
INSERT INTO "prices" VALUES(1,2,190,2,NULL,NULL);
INSERT INTO "prices" VALUES(2,1,100,3,NULL,NULL);
INSERT INTO "prices" VALUES(2,2,290,4,NULL,NULL);
INSERT INTO "prices" VALUES(3,1,100,5,NULL,NULL);
INSERT INTO "prices" VALUES(3,2,390,6,NULL,NULL);
INSERT INTO "prices" VALUES(4,1,100,7,NULL,NULL);
INSERT INTO "prices" VALUES(4,2,490,8,NULL,NULL);
INSERT INTO "prices" VALUES(5,1,100,9,NULL,NULL);
INSERT INTO "prices" VALUES(5,2,590,10,NULL,NULL);
INSERT INTO "prices" VALUES(6,1,100,11,NULL,NULL);
INSERT INTO "prices" VALUES(6,2,690,12,NULL,NULL);
INSERT INTO "prices" VALUES(7,1,100,13,NULL,NULL);
INSERT INTO "prices" VALUES(7,2,790,14,NULL,NULL);
INSERT INTO "prices" VALUES(8,1,100,15,NULL,NULL);
INSERT INTO "prices" VALUES(8,2,890,16,NULL,NULL);
INSERT INTO "prices" VALUES(9,1,100,17,NULL,NULL);
INSERT INTO "prices" VALUES(9,2,990,18,NULL,NULL);
CREATE TABLE product_categories (
    product_id bigint not null references products (id) on delete cascade,
    category_id bigint not null references categories (id) on delete cascade,
    primary key (product_id, category_id)
) without rowid;
INSERT INTO "product_categories" VALUES(1,1);
INSERT INTO "product_categories" VALUES(2,1);
INSERT INTO "product_categories" VALUES(3,1);
INSERT INTO "product_categories" VALUES(4,1);
INSERT INTO "product_categories" VALUES(5,1);
INSERT INTO "product_categories" VALUES(6,1);
INSERT INTO "product_categories" VALUES(7,1);
INSERT INTO "product_categories" VALUES(8,1);
INSERT INTO "product_categories" VALUES(9,1);
CREATE TABLE products (
    id integer primary key,
    name text not null,
    normalized_name text,
    brand_id bigint references brands (id) on delete set null,
    size text,
    barcode text,
    category text
);
INSERT INTO "products" VALUES(1,'Milk','milk',1,'1l','1','Dairy');
INSERT INTO "products" VALUES(2,'Milk','milk',1,'1l','2','Dairy');
INSERT INTO "products" VALUES(3,'Milk','milk',1,'1l','3','Dairy');
INSERT INTO "products" VALUES(4,'Milk','milk',1,'1l','4','Dairy');
INSERT INTO "products" VALUES(5,'Milk','milk',1,'1l','5','Dairy');
INSERT INTO "products" VALUES(6,'Milk','milk',1,'1l','6','Dairy');
INSERT INTO "products" VALUES(7,'Milk','milk',1,'1l','7','Dairy');
INSERT INTO "products" VALUES(8,'Milk','milk',1,'1l','8','Dairy');
INSERT INTO "products" VALUES(9,'Milk','milk',1,'1l','9','Dairy');
CREATE TABLE schema_version (
    version integer primary key,
    applied_at timestamp not null
);
INSERT INTO "schema_version" VALUES(1,'2026-11-27T14:38:00.479Z');
CREATE TABLE store_group_members (
    store_id integer primary key references stores (id) on delete cascade,
    group_id bigint not null references store_groups (id) on delete cascade
);
CREATE TABLE store_groups (
    id integer primary key,
    company bigint not null references companies (id),
    anchor bigint not null unique references stores (id) on delete cascade,
    is_active boolean not null default 1 check (is_active in (0, 1)),
    status text not null default 'healthy'
);
CREATE TABLE stores (
    id integer primary key,
    name text not null,
    company_id bigint not null references companies (id),
    division_id bigint references divisions (id) on delete set null,
    latitude double,
    longitude double
);
INSERT INTO "stores" VALUES(1,'Alder 1',1,NULL,45.8,15.97);
INSERT INTO "stores" VALUES(2,'Alder 2',1,NULL,45.81,15.98);
INSERT INTO "stores" VALUES(3,'Birch 3',2,1,45.82,15.99);
CREATE TABLE substitutions (
    product_a bigint not null references products (id) on delete cascade,
    product_b bigint not null references products (id) on delete cascade,
    level text not null,
    score double not null,
    source text not null,
    primary key (product_a, product_b),
    check (product_a < product_b)
) without rowid;
CREATE TABLE super_categories (
    name text not null primary key
) without rowid;
CREATE TABLE super_category_bargains (
    super_category text not null
        references super_categories (name) on delete cascade,
    product_id bigint not null references bargains (product_id) on delete cascade,
    store_id bigint not null references stores (id) on delete cascade,
    primary key (super_category, product_id)
) without rowid;
CREATE TABLE super_category_categories (
    super_category text not null
        references super_categories (name) on delete cascade,
    category_id bigint not null references categories (id) on delete cascade,
    primary key (super_category, category_id)
) without rowid;
CREATE INDEX products_by_brand on products (brand_id);
CREATE INDEX product_categories_by_category on product_categories (category_id);
CREATE INDEX category_links_by_b on category_links (category_b);
CREATE INDEX store_group_members_by_group on store_group_members (group_id);
CREATE INDEX substitutions_by_b on substitutions (product_b);
CREATE INDEX super_category_bargains_by_product
    on super_category_bargains (product_id);
CREATE INDEX applied_artifacts_by_pipeline on applied_artifacts (pipeline, id);
COMMIT;
