"""One work in DuckDB, in a process of its own.

Each work has several formulations, the best first; all are exact. Prices and stores
are packed into one integer where that helps: cents << 20 | store, since arg_min and
min are fastest on integers and a product's ties go to the lowest store. Record ids are
not packed: they are arbitrary 64-bit numbers.
"""

import argparse
import json

import duckdb

import groups

# Of a product with its cheapest and dearest price (cents), store and record.
TAIL = """
select
    product_id,
    cheapest_store as store_id,
    cheapest_record as cheapest_price_record_id,
    dearest_record as most_expensive_price_record_id,
    ((dearest - cheapest) * 100)::double / cheapest::double as percentage_difference
from extremes
where
    price_count >= 2
    and cheapest > 0
    and cheapest_store <> dearest_store
    and 2 * dearest > 3 * cheapest
order by product_id
"""

UNPACKED = """
extremes as (
    select
        product_id,
        price_count,
        lowest >> 20 as cheapest,
        highest >> 20 as dearest,
        lowest & 1048575 as cheapest_store,
        1048575 - (highest & 1048575) as dearest_store,
        cheapest_record,
        dearest_record
    from packed
)
"""

BARGAINS = {
    # Stores of a zone share a price: few groups are left when equal prices are one.
    # Fast where the rows of a product come together.
    "by price first": """
with by_price as (
    select
        product_id,
        (price * 100)::bigint as cents,
        count(*) as price_count,
        min(store_id) as store,
        arg_min_null(price_record_id, store_id) as record
    from prices
    group by product_id, price
),
extremes as (
    select
        product_id,
        sum(price_count) as price_count,
        min(cents) as cheapest,
        max(cents) as dearest,
        arg_min(store, cents) as cheapest_store,
        arg_max(store, cents) as dearest_store,
        arg_min_null(record, cents) as cheapest_record,
        arg_max_null(record, cents) as dearest_record
    from by_price
    group by product_id
)"""
    + TAIL,
    "one integer key": """
with keys as (
    select
        product_id,
        price_record_id as record,
        ((price * 100)::bigint << 20) + store_id as low,
        ((price * 100)::bigint << 20) + (1048575 - store_id) as high
    from prices
),
packed as (
    select
        product_id,
        count(*) as price_count,
        min(low) as lowest,
        max(high) as highest,
        arg_min_null(record, low) as cheapest_record,
        arg_max_null(record, high) as dearest_record
    from keys
    group by product_id
),"""
    + UNPACKED
    + TAIL,
    # The extremes of two columns alone, then only the rows that ask one of them.
    "join back": """
with bounds as (
    select product_id, count(*) as price_count, min(price) as least, max(price) as most
    from prices
    group by product_id
),
dear_enough as materialized (
    select * from bounds
    where price_count >= 2 and least > 0 and least <> most and most > 1.5 * least
),
ends as (
    select product_id, least as price, least, most, 0 as is_high from dear_enough
    union all
    select product_id, most, least, most, 1 from dear_enough
),
winners as (
    select
        product_id,
        is_high,
        any_value(least) as least,
        any_value(most) as most,
        min(store_id) as store,
        arg_min_null(price_record_id, store_id) as record
    from ends
    inner join prices using (product_id, price)
    group by product_id, is_high
),
extremes as (
    select
        low.product_id,
        2 as price_count,
        (low.least * 100)::bigint as cheapest,
        (low.most * 100)::bigint as dearest,
        low.store as cheapest_store,
        high.store as dearest_store,
        low.record as cheapest_record,
        high.record as dearest_record
    from winners as low
    inner join winners as high
        on low.product_id = high.product_id and low.is_high = 0 and high.is_high = 1
)"""
    + TAIL,
    "struct keys": """
with found as (
    select
        product_id,
        count(*) as price_count,
        min({'price': price, 'store': store_id, 'record': price_record_id}) as low,
        max({'price': price, 'store': -store_id, 'record': price_record_id}) as high
    from prices
    group by product_id
),
extremes as (
    select
        product_id,
        price_count,
        (low.price * 100)::bigint as cheapest,
        (high.price * 100)::bigint as dearest,
        low.store as cheapest_store,
        -high.store as dearest_store,
        low.record as cheapest_record,
        high.record as dearest_record
    from found
)"""
    + TAIL,
}

SCAN = """
select
    sum(product_id) as product_ids,
    sum(store_id) as store_ids,
    sum(price) as prices,
    sum(price_record_id) as price_record_ids
from prices
"""

# What comes to mind first: every pair of a company's stores that price a product.
SELF_JOIN = """
with part as materialized (
    select
        prices.product_id::int as product,
        prices.store_id::int as store,
        (prices.price * 100)::int as cents
    from prices
    inner join stores on prices.store_id = stores.id
    where stores.company = $company and prices.product_id <= $last
)
select
    a.store as store_a,
    b.store as store_b,
    count(*) as common_count,
    count(*) filter (where a.cents = b.cents) as same_count
from part as a
inner join part as b on a.product = b.product and a.store < b.store
group by a.store, b.store
having 1000 * same_count >= 995 * common_count
order by store_a, store_b
"""


def connect(arguments):
    connection = duckdb.connect()
    connection.execute(f"set threads = {arguments.threads}")
    connection.execute("set preserve_insertion_order = false")
    connection.execute("set enable_progress_bar = false")
    if arguments.temp:
        connection.execute(f"set temp_directory = '{arguments.temp}'")
    for name in ("prices", "stores"):
        if path := getattr(arguments, name):
            connection.execute(f"create view {name} as from read_parquet('{path}')")
    return connection


def write(connection, sql, parameters, out):
    rows = connection.execute(sql, parameters)
    names = [column[0] for column in rows.description]
    rows = [dict(zip(names, row)) for row in rows.fetchall()]
    out.write(json.dumps(rows, default=str))


def store_groups(connection, arguments):
    """Bit planes: bit j of each product's price code is a bit string a store, so that
    xor, or and bit_count compare two stores. A first block of products rules out, in
    exact arithmetic, the pairs that already differ more than they may."""
    ties = []
    companies = connection.execute("select distinct company from stores order by 1")
    for (company,) in companies.fetchall():
        ties += bit_planes(connection, company, arguments.first)
    counts = connection.execute("select store_id, count(*) from prices group by 1").fetchall()
    stores = connection.execute("select id, company from stores").fetchall()
    rows = groups.of(stores, dict(counts), ties)
    with open(arguments.out, "w") as out:
        out.write(json.dumps(rows))


def bit_planes(connection, company, first):
    connection.execute(
        """
create or replace temp table codes as
with part as (
    select prices.product_id, prices.store_id::int as store, prices.price
    from prices
    inner join stores on prices.store_id = stores.id
    where stores.company = $company
    qualify true
),
known as (
    select product_id, price,
        row_number() over (partition by product_id order by price) - 1 as code
    from (select distinct product_id, price from part)
),
products as (
    select product_id, row_number() over (order by hash(product_id), product_id) as product
    from (select distinct product_id from part)
)
select products.product::int as product, part.store, known.code::int as code
from part
inner join known using (product_id, price)
inner join products using (product_id)
""".replace("    qualify true\n", ""),
        {"company": company},
    )
    connection.execute(
        """delete from codes where store in (
            select store from codes group by store having count(*) <= 100)"""
    )
    products, most = connection.execute("select max(product), max(code) from codes").fetchone()
    if products is None:
        return []
    planes = range(max(1, most.bit_length()))
    differ = " | ".join(f"xor(a.plane_{j}, b.plane_{j})" for j in planes)
    vectors(connection, "whole", products, planes)
    candidates = "whole as a inner join whole as b on a.store < b.store"
    if first < products:
        vectors(connection, "begin", first, planes)
        connection.execute(
            f"""
create or replace temp table candidates as
select a.store as store_a, b.store as store_b
from begin as a
inner join begin as b on a.store < b.store
inner join whole as whole_a on whole_a.store = a.store
inner join whole as whole_b on whole_b.store = b.store
where 1000 * bit_count((a.priced & b.priced) & ({differ}))
    <= 5 * least(whole_a.price_count, whole_b.price_count)
"""
        )
        candidates = """candidates
inner join whole as a on a.store = store_a
inner join whole as b on b.store = store_b"""
    return connection.execute(
        f"""
with counted as (
    select
        a.store as store_a,
        b.store as store_b,
        bit_count(a.priced & b.priced) as common_count,
        bit_count((a.priced & b.priced) & ({differ})) as differing
    from {candidates}
)
select store_a, store_b from counted
where common_count > 0 and 1000 * differing <= 5 * common_count
"""
    ).fetchall()


def vectors(connection, name, products, planes):
    """Makes a table of each store's bit strings over the first so many products."""
    bits = ", ".join(
        f"""coalesce(
            bitstring_agg(product, 1, {products}) filter (where code & {1 << j} <> 0),
            bitstring('0', {products})
        ) as plane_{j}"""
        for j in planes
    )
    connection.execute(
        f"""
create or replace temp table {name} as
select
    store,
    count(*) filter (where product <= {products}) as price_count,
    coalesce(
        bitstring_agg(product, 1, {products}) filter (where product <= {products}),
        bitstring('0', {products})
    ) as priced,
    {bits}
from (select store, product, code from codes where product <= {products})
group by store
"""
    )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("work", choices=["bargains", "scan", "self-join", "store-groups"])
    parser.add_argument("--prices")
    parser.add_argument("--stores")
    parser.add_argument("--out", required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--formulation", default=next(iter(BARGAINS)))
    parser.add_argument("--company")
    parser.add_argument("--last", type=int)
    parser.add_argument("--first", type=int, default=256)
    parser.add_argument("--temp")
    arguments = parser.parse_args()
    connection = connect(arguments)
    if arguments.work == "store-groups":
        return store_groups(connection, arguments)
    sql, parameters = {
        "bargains": lambda: (BARGAINS[arguments.formulation], {}),
        "scan": lambda: (SCAN, {}),
        "self-join": lambda: (SELF_JOIN, {"company": arguments.company, "last": arguments.last}),
    }[arguments.work]()
    with open(arguments.out, "w") as out:
        write(connection, sql, parameters, out)


if __name__ == "__main__":
    main()
