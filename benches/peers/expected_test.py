"""Expected rows: how values are spelt, and which queries have an order."""

import datetime
import decimal
import unittest

import expected


class Shown(unittest.TestCase):
    def test_values_are_spelt_as_tests_spell_them(self):
        for value, text in [
            (None, "NULL"),
            ("", "(empty)"),
            (True, "true"),
            (7, "7"),
            (decimal.Decimal("1.50"), "1.50"),
            (decimal.Decimal("0E-6"), "0.000000"),
            (5.0, "5"),
            (1e-7, "0.0000001"),
            (1e22, "10000000000000000000000"),
            (datetime.date(2026, 1, 2), "2026-01-02"),
            (datetime.datetime(2026, 1, 2, 3, 4, 5), "2026-01-02T03:04:05Z"),
            ([1, None, "a"], "[1, NULL, a]"),
        ]:
            self.assertEqual(expected.shown(value), text)

    def test_types_are_letters(self):
        kinds = ["BIGINT", "HUGEINT", "DECIMAL(10,2)", "DOUBLE", "VARCHAR", "BOOLEAN", "DATE", "TIMESTAMP", "INTEGER[]"]
        self.assertEqual("".join(map(expected.letter, kinds)), "IIRRTBDP?")


class Ordered(unittest.TestCase):
    def test_only_the_order_of_the_query_itself_counts(self):
        for sql, ordered in [
            ("select 1 order by 1", True),
            ("select a from t\norder by a\nlimit 1", True),
            ("select sum(a) over (order by b) from t", False),
            ("select ' order by ' from t", False),
            ("with a as (select 1 order by 1) select * from a", False),
        ]:
            self.assertEqual(expected.is_ordered(sql), ordered, sql)


class Files(unittest.TestCase):
    def test_a_query_is_written_with_its_rows_and_again_the_same(self):
        text = "# Two rows.\n# duckdb: select 2\nquery\nselect x from t"
        comments, sql, peer = expected.query(text)
        self.assertEqual(peer, "select 2")
        once = expected.written(comments, sql, ["INTEGER"], [(2,), (1,)])
        self.assertEqual(once, "# Two rows.\n# duckdb: select 2\nquery I rowsort\nselect x from t\n----\n1\n2")
        self.assertEqual(expected.written(*expected.query(once)[:2], ["INTEGER"], [(1,), (2,)]), once)

    def test_statements_are_read_without_their_comments(self):
        text = "# Rows.\nstatement ok\ncreate table a as\nselect 1\n\nstatement ok\ncreate table b as select 2\n"
        self.assertEqual(expected.statements(text), ["create table a as\nselect 1", "create table b as select 2"])


if __name__ == "__main__":
    unittest.main()
