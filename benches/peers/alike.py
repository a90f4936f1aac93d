"""Whether answers of substitutions are the same, but for the last digit of a cosine.

Two ways to a cosine may round it to neighbours. A pair may stand in one answer alone when
that decides: at the threshold, or at the limit of one of its products. All else is equal.
"""

import itertools
import json

from answers import SHOWN, Differ, same

COLUMNS = ("product_a", "product_b", "level", "score", "source")
STRICT = ("LVL1", "LVL2")

# In ten-thousandths, as all scores here: what is no pair, and how far neighbours are.
THRESHOLD = 7500
NEAR = 1

# At most so many of the pairs may stand in one answer alone.
SHARE = 0.01


def substitutions(path):
    """Reads rows of two products, a level, a score in ten-thousandths, and a source."""
    rows = (tuple(row[name] for name in COLUMNS) for row in json.loads(path.read_text()))
    return [(a, b, level, round(score * 10_000), source) for a, b, level, score, source in rows]


def limits(path):
    """Reads, by level and product, the score of the last pair that counts."""
    levels = json.loads(path.read_text())
    return {
        (level, int(product)): score
        for level, products in levels.items()
        for product, score in products.items()
    }


def compare(name, rows, other_name, other_rows, known):
    """Returns how many pairs stand in one answer alone, or raises Differ; `known` are the
    limits of one of the two."""
    sides = ((name, rows), (other_name, other_rows))
    strict, similar = zip(*(parted(side) for _, side in sides))
    same(name, strict[0], other_name, strict[1])
    alone = [
        (who, (*pair, *row))
        for (who, _), mine, yours in zip(sides, similar, reversed(similar))
        for pair, row in mine.items()
        if pair not in yours
    ]
    wrong = [f"only {who}: {row}" for who, row in alone if not excused(row, known)]
    wrong += [
        f"{pair}: {name} has {row}, {other_name} {similar[1][pair]}"
        for pair, row in similar[0].items()
        if pair in similar[1] and not near(row, similar[1][pair])
    ]
    if len(alone) > SHARE * max(len(rows), len(other_rows)):
        wrong.append(f"{len(alone)} pairs stand in one answer alone")
    if wrong:
        more = [f"… and {len(wrong) - SHOWN} more"] if len(wrong) > SHOWN else []
        lines = [f"{name} has {len(rows)} rows, {other_name} {len(other_rows)}"]
        raise Differ("\n  ".join([*lines, *wrong[:SHOWN], *more]))
    return len(alone)


def parted(rows):
    """Returns the strict rows, and level, score and source of each other pair."""
    pairs = [row[:2] for row in rows]
    if any(pair >= following for pair, following in itertools.pairwise(pairs)):
        raise Differ("pairs are not in their order, or come twice")
    strict = [row for row in rows if row[2] in STRICT]
    return strict, {row[:2]: row[2:] for row in rows if row[2] not in STRICT}


def near(row, other):
    (level, score, source), (other_level, other_score, other_source) = row, other
    same_kind = (level, source) == (other_level, other_source)
    return same_kind and abs(score - other_score) <= NEAR


def excused(row, known):
    """Returns whether a neighbour's score, of this pair or of another, shuts a pair out."""
    a, b, level, score, _ = row
    last = [known[level, product] for product in (a, b) if (level, product) in known]
    # Both the pair's score and the limit may have moved.
    return score <= THRESHOLD + NEAR or any(abs(score - limit) <= 2 * NEAR for limit in last)
