"""One work in Polars, in a process of its own; its streaming engine is the faster one.

A decimal's integers are looked at directly (to_physical): arithmetic on decimals is
done in 128 bits. Files of a snapshot are in order of product_id, and Polars may know.
"""

import argparse
import json

import polars as pl

import groups

STORE_BITS = 1 << 20


def cents():
    return pl.col("price").to_physical().cast(pl.Int64)


def keys(prices):
    packed = cents() * STORE_BITS
    return prices.select(
        "product_id",
        record=pl.col("price_record_id"),
        low=packed + pl.col("store_id"),
        high=packed + (STORE_BITS - 1 - pl.col("store_id")),
    )


def extremes(groups_of):
    return groups_of.agg(
        price_count=pl.len(),
        lowest=pl.col("low").min(),
        highest=pl.col("high").max(),
        cheapest_record=pl.col("record").min_by("low"),
        dearest_record=pl.col("record").max_by("high"),
    ).select(
        "product_id",
        "price_count",
        "cheapest_record",
        "dearest_record",
        cheapest=pl.col("lowest") // STORE_BITS,
        dearest=pl.col("highest") // STORE_BITS,
        cheapest_store=pl.col("lowest") % STORE_BITS,
        dearest_store=STORE_BITS - 1 - pl.col("highest") % STORE_BITS,
    )


def measured(found):
    difference = (pl.col("dearest") - pl.col("cheapest")) * 100
    return (
        found.filter(
            pl.col("price_count") >= 2,
            pl.col("cheapest") > 0,
            pl.col("cheapest_store") != pl.col("dearest_store"),
            2 * pl.col("dearest") > 3 * pl.col("cheapest"),
        )
        .select(
            "product_id",
            pl.col("cheapest_store").alias("store_id"),
            pl.col("cheapest_record").alias("cheapest_price_record_id"),
            pl.col("dearest_record").alias("most_expensive_price_record_id"),
            percentage_difference=difference.cast(pl.Float64)
            / pl.col("cheapest").cast(pl.Float64),
        )
        .sort("product_id")
    )


def known_sorted(prices):
    return measured(extremes(keys(prices.set_sorted("product_id")).group_by("product_id")))


def one_integer_key(prices):
    return measured(extremes(keys(prices).group_by("product_id")))


def by_price_first(prices):
    by_price = (
        prices.select("product_id", "store_id", "price_record_id", cents=cents())
        .group_by("product_id", "cents")
        .agg(
            price_count=pl.len(),
            store=pl.col("store_id").min(),
            record=pl.col("price_record_id").min_by("store_id"),
        )
    )
    found = by_price.group_by("product_id").agg(
        price_count=pl.col("price_count").sum(),
        cheapest=pl.col("cents").min(),
        dearest=pl.col("cents").max(),
        cheapest_store=pl.col("store").min_by("cents"),
        dearest_store=pl.col("store").max_by("cents"),
        cheapest_record=pl.col("record").min_by("cents"),
        dearest_record=pl.col("record").max_by("cents"),
    )
    return measured(found)


BARGAINS = {
    "known sorted": known_sorted,
    "one integer key": one_integer_key,
    "by price first": by_price_first,
}


def scan(prices):
    return prices.select(
        product_ids=pl.col("product_id").sum(),
        store_ids=pl.col("store_id").sum(),
        prices=pl.col("price").sum(),
        price_record_ids=pl.col("price_record_id").sum(),
    )


def company_prices(prices, stores, company, last=None):
    of_company = stores.filter(pl.col("company") == company)
    part = prices if last is None else prices.filter(pl.col("product_id") <= last)
    return part.join(of_company, left_on="store_id", right_on="id", how="semi")


def self_join(prices, stores, company, last):
    part = company_prices(prices, stores, company, last).select(
        product=pl.col("product_id").cast(pl.Int32),
        store=pl.col("store_id").cast(pl.Int32),
        cents=cents().cast(pl.Int32),
    )
    return (
        part.join(part, on="product")
        .filter(pl.col("store") < pl.col("store_right"))
        .group_by("store", "store_right")
        .agg(
            common_count=pl.len(),
            same_count=(pl.col("cents") == pl.col("cents_right")).sum(),
        )
        .filter(1000 * pl.col("same_count") >= 995 * pl.col("common_count"))
        .rename({"store": "store_a", "store_right": "store_b"})
        .sort("store_a", "store_b")
    )


def store_groups(prices, stores, companies=None):
    """A column a store, a row a product: a store is compared with all that follow it
    in one pass of vectorised expressions."""
    ties = []
    all_stores = stores.select("id", "company").collect()
    for company in companies or sorted(all_stores["company"].unique()):
        ties += ties_of(company_prices(prices, stores, company))
    counts = prices.group_by("store_id").agg(n=pl.len()).collect(engine="streaming")
    return groups.of(all_stores.rows(), dict(counts.rows()), ties)


def ties_of(part):
    part = part.select("product_id", "store_id", cents=cents().cast(pl.Int32))
    part = part.collect(engine="streaming")
    wide = part.pivot(on="store_id", index="product_id", values="cents")
    wide = wide.drop("product_id")
    wide = wide.select(column for column in wide if column.len() - column.null_count() > 100)
    ties, names = [], wide.columns
    for at, name in enumerate(names[:-1]):
        rest = names[at + 1 :]
        counted = wide.lazy().filter(pl.col(name).is_not_null())
        common = counted.select(pl.col(rest).count())
        same = counted.select((pl.col(rest) == pl.col(name)).sum())
        common, same = (frame.row(0) for frame in pl.collect_all([common, same]))
        ties += [
            (int(name), int(other))
            for other, both, equal in zip(rest, common, same)
            if both and 1000 * equal >= 995 * both
        ]
    return ties


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("work", choices=["bargains", "scan", "self-join", "store-groups"])
    parser.add_argument("--prices", required=True)
    parser.add_argument("--stores")
    parser.add_argument("--out", required=True)
    parser.add_argument("--formulation", default=next(iter(BARGAINS)))
    parser.add_argument("--company")
    parser.add_argument("--last", type=int)
    arguments = parser.parse_args()
    prices = pl.scan_parquet(arguments.prices)
    stores = pl.scan_parquet(arguments.stores) if arguments.stores else None
    if arguments.work == "store-groups":
        companies = [arguments.company] if arguments.company else None
        rows = store_groups(prices, stores, companies)
    else:
        frame = {
            "bargains": lambda: BARGAINS[arguments.formulation](prices),
            "scan": lambda: scan(prices),
            "self-join": lambda: self_join(prices, stores, arguments.company, arguments.last),
        }[arguments.work]()
        rows = frame.collect(engine="streaming").to_dicts()
    with open(arguments.out, "w") as out:
        out.write(json.dumps(rows, default=str))


if __name__ == "__main__":
    main()
