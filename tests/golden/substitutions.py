"""The rules of LVL1 and LVL2 as they are written, in plain Python with RapidFuzz.

    pip install 'rapidfuzz==3.14.*'
    python substitutions.py PRODUCTS.csv.gz [BRAND ...] > substitutions.csv

Reads products (id, name, brand, size) and prints the pairs of each brand at its
strictest level; without brands, of all.
"""

import csv
import gzip
import itertools
import re
import sys
import unicodedata
from collections import defaultdict
from fractions import Fraction
from pathlib import Path

from rapidfuzz import fuzz, utils

SEED = Path(__file__).parents[2] / "sql/substitutions/units.csv"
UNITS = {unit: (base, int(amount)) for unit, base, amount in list(csv.reader(SEED.open()))[1:]}

NUMBER = r"(?:\d+(?:[.,]\d+)?|(?<![^\s])[.,]\d+|(?<=[x*×])[.,]\d+)(?:e[+-]?\d+)?(?![.,]\d)"
UNIT = r"(?:" + "|".join(sorted(UNITS, key=len, reverse=True)) + r")(?![^\W_])\.?"
TIMES = r"\s*[x×*]\s*"
DASH = r"\s*[-–—/⁄]\s*"
ABOUT = r"(?:(?:cca|ca|approx)\.?\s*)?"
SIZE = re.compile(
    rf"(?<![^\W_])(?<!\d[.,]){ABOUT}(?P<counts>(?:{NUMBER}{TIMES}){{0,2}})(?P<number>{NUMBER})"
    rf"(?P<range>{DASH}{NUMBER})?\s*(?P<unit>{UNIT})(?P<second>{DASH}{NUMBER}\s*{UNIT})?"
    rf"(?:{TIMES}(?P<after>{NUMBER})(?P<odd>\s*{UNIT})?(?![^\W_]))?"
)


def value(number):
    mantissa, _, exponent = number.replace(",", ".").partition("e")
    return Fraction(mantissa if mantissa[0] != "." else "0" + mantissa) * Fraction(10) ** int(exponent or 0)


def size_of(match):
    """Returns base, packs, amount; None when it is unknown."""
    if match["range"] or match["second"] or match["odd"]:
        return None
    counts = [n for n in re.split(r"[x×*\s]+", match["counts"]) if n]
    counts += [match["after"]] if match["after"] else []
    if not all(count.isdigit() and int(count) for count in counts):
        return None
    packs = 1
    for count in counts:
        packs *= int(count)
    base, unit = UNITS[match["unit"].rstrip(".")]
    exact = value(match["number"]) * unit
    return (base, packs, max(1, int(exact + Fraction(1, 2)))) if exact else None


def parse_size(text):
    text = text.lower().strip()
    match = SIZE.match(text)
    whole = match and (text[match.end():].strip() or ",")[0] == ","
    return size_of(match) if whole else None


def find_size(text):
    match = SIZE.search(text.lower())
    return size_of(match) if match else None


def normalized(name):
    text = unicodedata.normalize("NFKD", name).lower()
    text = "".join(c for c in text if not unicodedata.combining(c))
    words = re.split(r"[\W_]+", SIZE.sub(" ", text))
    return " ".join(sorted({word for word in words if word}))


def level(one, other):
    """Returns the strictest level of two products of a brand; None when there is none."""
    if not one["size"] or not other["size"]:
        return None
    if one["normalized"] and one["normalized"] == other["normalized"] and one["size"] != other["size"]:
        return "LVL1"
    (base, packs, amount), (other_base, other_packs, other_amount) = one["size"], other["size"]
    if (base, packs) != (other_base, other_packs):
        return None
    if 10 * abs(amount - other_amount) > min(amount, other_amount):
        return None
    ratio = fuzz.token_set_ratio(one["processed"], other["processed"])
    return "LVL2" if 90 < ratio < 100 else None


def main(path, brands):
    blocks = defaultdict(list)
    for row in csv.DictReader(gzip.open(path, "rt", encoding="utf-8")):
        row["id"] = int(row["id"])
        row["size"] = parse_size(row["size"]) or find_size(row["name"])
        row["normalized"] = normalized(row["name"])
        row["processed"] = utils.default_process(row["name"])
        if row["brand"] and (not brands or row["brand"] in brands):
            blocks[row["brand"]].append(row)
    pairs = []
    for block in blocks.values():
        block.sort(key=lambda row: row["id"])
        for one, other in itertools.combinations(block, 2):
            if found := level(one, other):
                pairs.append((one["id"], other["id"], found))
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["product_a", "product_b", "level"])
    writer.writerows(sorted(pairs))


if __name__ == "__main__":
    main(sys.argv[1], set(sys.argv[2:]))
