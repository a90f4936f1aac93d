"""Whether the answers are the same, row by row; a double by its bits."""

import json
import struct
from decimal import Decimal

SHOWN = 10


class Differ(Exception):
    """Two answers that should be the same are not."""


def exact(value):
    """Returns a value that is equal to another only when every bit is."""
    if isinstance(value, float):
        return struct.pack(">d", value)
    if isinstance(value, list):
        return tuple(exact(item) for item in value)
    return value


def bargains(path):
    """Reads rows of product, store, two record ids and a percentage."""
    names = (
        "product_id",
        "store_id",
        "cheapest_price_record_id",
        "most_expensive_price_record_id",
        "percentage_difference",
    )
    rows = json.loads(path.read_text())
    # A percentage without a fraction may have been written as an integer.
    return [(*(row[name] for name in names[:4]), float(row[names[4]])) for row in rows]


def groups(path):
    """Reads rows of a company and its stores, the anchor first."""
    return [(row["company"], row["stores"]) for row in json.loads(path.read_text())]


def pairs(path):
    """Reads rows of two stores with their common and identical prices."""
    names = ("store_a", "store_b", "common_count", "same_count")
    return [tuple(int(row[name]) for name in names) for row in json.loads(path.read_text())]


def sums(path):
    """Reads one row of sums, whole numbers and decimals."""
    (row,) = json.loads(path.read_text())
    return [tuple(Decimal(str(value)) for value in row.values())]


def prices(path):
    """Reads a folder or a file of prices, by key."""
    import pyarrow as pa
    import pyarrow.parquet as parquet

    columns = ["product_id", "store_id", "price", "price_record_id"]
    table = parquet.read_table(path, columns=columns)
    table = table.sort_by([("product_id", "ascending"), ("store_id", "ascending")])
    price = table["price"].cast(pa.decimal128(10, 2))
    table = table.set_column(2, "price", price)
    return list(zip(*(table[column].to_pylist() for column in columns)))


def compare(read, contenders):
    """Raises Differ, with the rows, unless all answers are the same and not empty."""
    first, *others = contenders
    rows = read(first.answer)
    if not rows:
        raise Differ(f"{first.name} answers with no row at all")
    for other in others:
        if other.answer != first.answer:
            same(first.name, rows, other.name, read(other.answer))
    return len(rows)


def same(name, rows, other_name, other_rows):
    ours = [exact(list(row)) for row in rows]
    theirs = [exact(list(row)) for row in other_rows]
    if ours == theirs:
        return
    lines = [f"{name} has {len(ours)} rows, {other_name} {len(theirs)}"]
    there, here = set(theirs), set(ours)
    for who, mine, exacts, yours in (
        (name, rows, ours, there),
        (other_name, other_rows, theirs, here),
    ):
        only = [row for row, bits in zip(mine, exacts) if bits not in yours]
        lines += [f"  only {who}: {row}" for row in only[:SHOWN]]
        if len(only) > SHOWN:
            lines.append(f"  … and {len(only) - SHOWN} more")
    if len(lines) == 1:
        lines.append("  the same rows in another order, or some of them twice")
    raise Differ("\n".join(lines))
