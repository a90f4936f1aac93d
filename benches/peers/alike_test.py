"""The comparison of substitutions: what rounding explains, and what it does not."""

import unittest

import alike
from answers import Differ

STRICT = (1, 2, "LVL1", 10_000, "local_strict_name_v1")
SIMILAR = (1, 3, "LVL3", 8_000, "local_sbert_v1")
MANY = [(4, 5 + place, "LVL3", 9_000, "local_sbert_v1") for place in range(200)]


def with_score(row, score):
    return (*row[:3], score, row[4])


class Compare(unittest.TestCase):
    def compare(self, rows, other_rows, known=None):
        return alike.compare("one", rows, "other", other_rows, known or {})

    def differ(self, rows, other_rows, known=None):
        with self.assertRaises(Differ):
            self.compare(rows, other_rows, known)

    def test_equal_answers_pass(self):
        self.assertEqual(self.compare([STRICT, SIMILAR], [STRICT, SIMILAR]), 0)

    def test_every_column_counts(self):
        for row in (STRICT, SIMILAR):
            for column in range(5):
                other = list(row)
                other[column] = row[column] - 2 if column in (0, 1, 3) else "other"
                with self.subTest(row=row, column=column):
                    self.differ([row, *MANY], [tuple(other), *MANY])

    def test_a_neighbouring_score_passes_for_meanings_alone(self):
        for score in (7_999, 8_001):
            self.assertEqual(self.compare([SIMILAR], [with_score(SIMILAR, score)]), 0)
        self.differ([STRICT], [with_score(STRICT, 9_999)])

    def test_a_pair_at_the_threshold_may_stand_alone(self):
        at, over = with_score(SIMILAR, 7_501), with_score(SIMILAR, 7_502)
        for rows, others in (([at, *MANY], MANY), (MANY, [at, *MANY])):
            self.assertEqual(self.compare(rows, others), 1)
        self.differ([over, *MANY], MANY)

    def test_a_pair_at_the_limit_of_one_of_its_products_may_stand_alone(self):
        for product in (1, 3):
            known = {("LVL3", product): 8_002}
            self.assertEqual(self.compare([SIMILAR, *MANY], MANY, known), 1)
        for known in ({("LVL3", 3): 8_003}, {("LVL4", 3): 8_000}, {("LVL3", 2): 8_000}):
            self.differ([SIMILAR, *MANY], MANY, known)

    def test_too_many_pairs_alone_count(self):
        at = [with_score(row, 7_501) for row in MANY]
        self.differ([SIMILAR, *MANY, *((9, *row[1:]) for row in at[10:20])], [SIMILAR, *MANY])

    def test_a_strict_pair_never_stands_alone(self):
        self.differ([STRICT, SIMILAR], [SIMILAR])

    def test_the_order_counts_and_twice_is_not_once(self):
        self.differ([SIMILAR, STRICT], [STRICT, SIMILAR])
        self.differ([SIMILAR, SIMILAR], [SIMILAR])


if __name__ == "__main__":
    unittest.main()
