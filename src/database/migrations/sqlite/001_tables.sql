-- The service's tables. Declared types are those of the contracts (bigint,
-- text, double, boolean, date, timestamp), so that a table's contract can be
-- read back from the schema. Money is integer cents, dates and instants are
-- ISO 8601 text, booleans 0 and 1.

create table companies (
    id integer primary key,
    name text not null unique
);

create table divisions (
    id integer primary key,
    company_id bigint not null references companies (id) on delete cascade,
    name text not null,
    unique (company_id, name)
);

create table stores (
    id integer primary key,
    name text not null,
    company_id bigint not null references companies (id),
    division_id bigint references divisions (id) on delete set null,
    latitude double,
    longitude double
);

create table brands (
    id integer primary key,
    name text not null unique
);

-- category is the text the source gave; its meaning is in product_categories.
create table products (
    id integer primary key,
    name text not null,
    normalized_name text,
    brand_id bigint references brands (id) on delete set null,
    size text,
    barcode text,
    category text
);

-- While a load has products without their brands, each new brand is looked for.
create index products_by_brand on products (brand_id);

create table categories (
    id integer primary key,
    name text not null,
    company_id bigint not null references companies (id)
);

create table product_categories (
    product_id bigint not null references products (id) on delete cascade,
    category_id bigint not null references categories (id) on delete cascade,
    primary key (product_id, category_id)
) without rowid;

create index product_categories_by_category on product_categories (category_id);

-- A price's identity is its product and its store. There is no index by store:
-- it would double the cost of a hundred million rows for a rare deletion.
create table prices (
    product_id bigint not null references products (id) on delete cascade,
    store_id bigint not null references stores (id) on delete cascade,
    price_cents bigint not null
        check (typeof(price_cents) = 'integer' and price_cents >= 0),
    price_record_id bigint,
    scraped_date date,
    sku text,
    primary key (product_id, store_id)
) without rowid;

create table category_links (
    category_a bigint not null references categories (id) on delete cascade,
    category_b bigint not null references categories (id) on delete cascade,
    link_type text not null,
    primary key (category_a, category_b),
    check (category_a < category_b)
) without rowid;

create index category_links_by_b on category_links (category_b);

create table bargains (
    product_id integer primary key references products (id) on delete cascade,
    store_id bigint not null references stores (id) on delete cascade,
    cheapest_price_record_id bigint,
    most_expensive_price_record_id bigint,
    percentage_difference double not null
);

-- A group's id is its anchor's store id.
create table store_groups (
    id integer primary key,
    company bigint not null references companies (id),
    anchor bigint not null unique references stores (id) on delete cascade,
    is_active boolean not null default 1 check (is_active in (0, 1)),
    status text not null default 'healthy'
);

create table store_group_members (
    store_id integer primary key references stores (id) on delete cascade,
    group_id bigint not null references store_groups (id) on delete cascade
);

create index store_group_members_by_group on store_group_members (group_id);

create table substitutions (
    product_a bigint not null references products (id) on delete cascade,
    product_b bigint not null references products (id) on delete cascade,
    level text not null,
    score double not null,
    source text not null,
    primary key (product_a, product_b),
    check (product_a < product_b)
) without rowid;

create index substitutions_by_b on substitutions (product_b);

create table popular_categories (
    name text not null primary key,
    slug text not null,
    product_count bigint not null,
    companies bigint not null
) without rowid;

create table popular_category_members (
    popular_category text not null
        references popular_categories (name) on delete cascade,
    category_id bigint not null references categories (id) on delete cascade,
    primary key (popular_category, category_id)
) without rowid;

create table super_categories (
    name text not null primary key
) without rowid;

create table super_category_categories (
    super_category text not null
        references super_categories (name) on delete cascade,
    category_id bigint not null references categories (id) on delete cascade,
    primary key (super_category, category_id)
) without rowid;

-- A link goes with its bargain, and stays while the bargain stands.
create table super_category_bargains (
    super_category text not null
        references super_categories (name) on delete cascade,
    product_id bigint not null references bargains (product_id) on delete cascade,
    store_id bigint not null references stores (id) on delete cascade,
    primary key (super_category, product_id)
) without rowid;

create index super_category_bargains_by_product
    on super_category_bargains (product_id);

-- The ledger: which artifact stands, by the highest id of a pipeline.
create table applied_artifacts (
    id integer primary key,
    pipeline text not null,
    seq bigint not null,
    sha256 text not null,
    counts text not null,
    applied_at timestamp not null
);

create index applied_artifacts_by_pipeline on applied_artifacts (pipeline, id);

create table schema_version (
    version integer primary key,
    applied_at timestamp not null
);
