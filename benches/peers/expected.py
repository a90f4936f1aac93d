"""Writes the expected rows of tests/analyst/*.slt with DuckDB.

Each query of these files is one that analysts type. DuckDB answers it, or the line
`# duckdb: …` above it where its spelling differs, and the answer is written below the
query as pricemill's tests spell values. With --check, nothing is written: files that
would change are named, and the exit code is 1. tables.slt makes the rows.
"""

import argparse
import datetime
import decimal
import re
import sys
from pathlib import Path

from answering import SETTINGS

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests/analyst"
PEER = "# duckdb: "


def shown(value):
    """Spells a value: NULL, (empty), decimals to the digit, doubles in shortest form."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, decimal.Decimal):
        return f"{value:f}"
    if isinstance(value, float):
        text = f"{decimal.Decimal(repr(value)):f}"
        return text.removesuffix(".0")
    if isinstance(value, datetime.datetime):
        # Instants are in UTC.
        return f"{value.isoformat()}Z"
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(shown(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {shown(item)}" for name, item in value.items()) + "}"
    return str(value) or "(empty)"


def letter(kind):
    """Returns the letter of a column's type, as after `query`."""
    kind = str(kind).upper()
    if kind.endswith("]") or kind.startswith(("STRUCT", "MAP")):
        return "?"
    if kind.startswith(("DECIMAL", "DOUBLE", "FLOAT")):
        return "R"
    if "INT" in kind:
        return "I"
    if kind.startswith("TIMESTAMP"):
        return "P"
    return {"VARCHAR": "T", "BOOLEAN": "B", "DATE": "D"}.get(kind, "?")


def is_ordered(sql):
    """Says whether a query's own rows have an order: an ORDER BY outside parentheses."""
    depth, outside = 0, []
    for sign in re.sub(r"'[^']*'|--[^\n]*", "''", sql):
        depth += {"(": 1, ")": -1}.get(sign, 0)
        outside.append(sign if depth == 0 else " ")
    return "order by" in " ".join("".join(outside).split())


def paragraphs(text):
    return [part.strip("\n") for part in re.split(r"\n\n+", text.strip("\n")) if part.strip()]


def statements(text):
    """Returns the SQL of a file's statements."""
    found = (part.split("statement ok\n", 1) for part in paragraphs(text))
    return [part[1] for part in found if len(part) == 2]


def query(paragraph):
    """Takes a query apart: its comments, its SQL, and what DuckDB is asked."""
    comments, rest = [], paragraph.split("\n")
    while rest[0].startswith("#"):
        comments.append(rest.pop(0))
    if not rest[0].startswith("query"):
        raise SystemExit(f"not a query:\n{paragraph}")
    sql = "\n".join(rest[1:]).split("\n----")[0]
    peer = [line.removeprefix(PEER) for line in comments if line.startswith(PEER)]
    return comments, sql, peer[0] if peer else sql


def written(comments, sql, kinds, rows):
    """Writes a query with its expected rows."""
    rows = [[shown(value) for value in row] for row in rows]
    sort = "" if is_ordered(sql) else " rowsort"
    lines = [" ".join(row) for row in (sorted(rows) if sort else rows)]
    head = f"query {''.join(letter(kind) for kind in kinds)}{sort}"
    return "\n".join([*comments, head, sql, "----", *lines])


def answer(connection, sql):
    relation = connection.execute(sql)
    kinds = [column[1] for column in relation.description]
    return kinds, relation.fetchall()


def connect():
    import duckdb

    connection = duckdb.connect()
    for setting in SETTINGS:
        connection.execute(setting)
    for sql in statements((FOLDER / "tables.slt").read_text()):
        connection.execute(sql)
    return connection


def expected(connection, text):
    """Returns a file's text with the rows that DuckDB gives, and the queries it refuses."""
    parts, refused = [], []
    for paragraph in paragraphs(text):
        comments, sql, peer = query(paragraph)
        try:
            kinds, rows = answer(connection, peer)
        except Exception as error:  # Whatever it is, the query is what matters.
            refused.append(f"{paragraph}\n{error}")
            continue
        parts.append(written(comments, sql, kinds, rows))
    return "\n\n".join(parts) + "\n", refused


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a file would change")
    arguments = parser.parse_args()
    connection, stale, queries = connect(), [], 0
    for path in sorted(FOLDER.glob("*.slt")):
        if path.name == "tables.slt":
            continue
        text = path.read_text()
        new, refused = expected(connection, text)
        if refused:
            raise SystemExit("\n\n".join(refused))
        queries += new.count("\n----")
        if new != text:
            stale.append(path.name)
            if not arguments.check:
                path.write_text(new)
    verb = "would change" if arguments.check else "written"
    print(f"{queries} queries; {verb}: {', '.join(stale) or 'nothing'}")
    return 1 if arguments.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
