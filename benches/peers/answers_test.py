"""The comparison itself: what must not pass for the same answer."""

import json
import tempfile
import unittest
from pathlib import Path
from types import SimpleNamespace

import answers

BARGAIN = {
    "product_id": 7,
    "store_id": 2,
    "cheapest_price_record_id": 20,
    "most_expensive_price_record_id": 30,
    "percentage_difference": 51.0,
}


class Compare(unittest.TestCase):
    def compare(self, *rows):
        with tempfile.TemporaryDirectory() as folder:
            contenders = []
            for number, answer in enumerate(rows):
                path = Path(folder) / f"{number}.json"
                path.write_text(json.dumps(answer))
                contenders.append(SimpleNamespace(name=f"number {number}", answer=path))
            return answers.compare(answers.bargains, contenders)

    def test_equal_answers_pass(self):
        self.assertEqual(self.compare([BARGAIN], [dict(BARGAIN)]), 1)

    def test_every_column_counts(self):
        """An engine that leaves a column out of its work does not have the same answer."""
        for column, value in BARGAIN.items():
            for other in (value + 1, None):
                if other is None and column == "percentage_difference":
                    continue
                with self.subTest(column=column, other=other):
                    with self.assertRaises(answers.Differ):
                        self.compare([BARGAIN], [{**BARGAIN, column: other}])

    def test_the_last_bit_of_a_percentage_counts(self):
        near = {**BARGAIN, "percentage_difference": 51.00000000000001}
        with self.assertRaises(answers.Differ):
            self.compare([BARGAIN], [near])

    def test_a_row_more_or_twice_or_none_at_all_counts(self):
        other = {**BARGAIN, "product_id": 8}
        for rows in ([[BARGAIN], [BARGAIN, other]], [[BARGAIN], [BARGAIN, BARGAIN]], [[], []]):
            with self.subTest(rows=rows):
                with self.assertRaises(answers.Differ):
                    self.compare(*rows)

    def test_the_order_counts(self):
        other = {**BARGAIN, "product_id": 8}
        with self.assertRaises(answers.Differ):
            self.compare([BARGAIN, other], [other, BARGAIN])


if __name__ == "__main__":
    unittest.main()
