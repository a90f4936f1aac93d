"""Paged JSON to Parquet, Python's usual way: requests, json, pyarrow."""

import argparse
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as parquet
import requests

SCHEMA = pa.schema(
    [
        ("product_id", pa.int64()),
        ("store_id", pa.int64()),
        ("price", pa.decimal128(10, 2)),
        ("price_record_id", pa.int64()),
    ]
)

# Rows that are gathered before they are written.
GROUP_ROWS = 1 << 17


def table(rows):
    columns = {name: [row[name] for row in rows] for name in SCHEMA.names}
    # A decimal is read from its digits, never through a double.
    columns["price"] = [Decimal(price) for price in columns["price"]]
    return pa.Table.from_pydict(columns, schema=SCHEMA)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--out", required=True)
    arguments = parser.parse_args()
    session = requests.Session()
    session.headers["X-Internal-API-Key"] = arguments.key
    url, rows = arguments.url, []
    with parquet.ParquetWriter(arguments.out, SCHEMA, compression="zstd") as writer:
        while url:
            answer = session.get(url)
            answer.raise_for_status()
            page = answer.json(parse_float=Decimal)
            rows += page["results"]
            if len(rows) >= GROUP_ROWS:
                writer.write_table(table(rows))
                rows = []
            url = page["next"]
        writer.write_table(table(rows))


if __name__ == "__main__":
    main()
