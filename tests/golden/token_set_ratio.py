"""Computes the ratios of token_set_ratio.csv anew, from its first two columns.

    pip install 'rapidfuzz==3.14.*'
    python token_set_ratio.py
"""

import csv
from pathlib import Path

from rapidfuzz import fuzz, utils

FILE = Path(__file__).with_suffix(".csv")


def ratio(a, b):
    return repr(float(fuzz.token_set_ratio(a, b, processor=utils.default_process)))


rows = list(csv.reader(FILE.open(encoding="utf-8", newline="")))
with FILE.open("w", encoding="utf-8", newline="") as file:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(rows[0])
    writer.writerows([a, b, ratio(a, b)] for a, b, _ in rows[1:])
