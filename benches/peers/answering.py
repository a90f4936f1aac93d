"""Answers queries with DuckDB, line by line, for the differential test.

In comes a line of JSON, {"tables": [SQL that makes them], "sql": "select …"}; out goes
{"rows": [[…]]} or {"error": "…"}. Numbers are numbers, null is null, and anything else is
a text as the test spells it: 'text' and 'date' in quotes, lists in brackets.
"""

import datetime
import decimal
import json
import math
import sys

# What differs by setting between DuckDB and pricemill, which follows PostgreSQL.
SETTINGS = (
    "set integer_division = true",
    "set default_null_order = 'nulls_last_on_asc_first_on_desc'",
    "set threads = 1",
)


def spelled(value):
    """Returns a value as JSON has it."""
    if value is None:
        return None
    if isinstance(value, (bool, int, float, decimal.Decimal)):
        number = float(value)
        return number if math.isfinite(number) else f"'{number}'"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(within, value)) + "]"
    if isinstance(value, datetime.datetime):
        return f"'{value.isoformat()}'"
    return f"'{value}'"


def within(value):
    """Spells an element of a list."""
    value = spelled(value)
    if value is None:
        return "null"
    if isinstance(value, float):
        # Four digits, without those that are zero: as the test spells numbers.
        text = f"{value:.4f}".rstrip("0").rstrip(".")
        return "0" if text == "-0" else text
    return value


def answer(connection, question):
    for name in ("t", "u"):
        connection.execute(f"drop table if exists {name}")
    for statement in question["tables"]:
        connection.execute(statement)
    try:
        rows = connection.execute(question["sql"]).fetchall()
    except Exception as error:  # Whatever it is, it is not an answer.
        return {"error": str(error)}
    return {"rows": [[spelled(value) for value in row] for row in rows]}


def main():
    import duckdb

    connection = duckdb.connect()
    for setting in SETTINGS:
        connection.execute(setting)
    for line in sys.stdin:
        print(json.dumps(answer(connection, json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
