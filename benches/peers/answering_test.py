"""Answers for the differential test: how values go over the line."""

import datetime
import decimal
import unittest

import answering


class Spelled(unittest.TestCase):
    def test_numbers_are_numbers_and_the_rest_is_text(self):
        for value, spelled in [
            (None, None),
            (True, 1.0),
            (7, 7.0),
            (decimal.Decimal("0.25"), 0.25),
            (float("nan"), "'nan'"),
            ("", "''"),
            (datetime.date(2026, 1, 31), "'2026-01-31'"),
            ([1, None, -0.0, 0.5], "[1, null, 0, 0.5]"),
            ([], "[]"),
        ]:
            self.assertEqual(answering.spelled(value), spelled)


class Connection:
    """Stands for DuckDB: it knows one query."""

    def __init__(self):
        self.asked = []

    def execute(self, sql):
        self.asked.append(sql)
        if sql == "bad":
            raise ValueError("no such thing")
        return self

    def fetchall(self):
        return [(1, "p")]


class Answer(unittest.TestCase):
    def test_the_tables_are_made_anew_for_each_query(self):
        connection = Connection()
        question = {"tables": ["create table t (id bigint)"], "sql": "select 1"}
        self.assertEqual(answering.answer(connection, question), {"rows": [[1.0, "'p'"]]})
        drops = [f"drop table if exists {name}" for name in "tu"]
        self.assertEqual(connection.asked, [*drops, "create table t (id bigint)", "select 1"])

    def test_an_error_is_an_answer(self):
        self.assertEqual(answering.answer(Connection(), {"tables": [], "sql": "bad"}), {"error": "no such thing"})


if __name__ == "__main__":
    unittest.main()
