"""Pairs of vectors that are alike: products of matrices, block by block, in NumPy."""

import numpy as np

# Scores are cosines in ten-thousandths, rounded half-even; those of pairs are over this.
OVER = 7500
# The most pairs of a row, by score, then by the other row.
LIMIT = 50
# Rows that are multiplied at once.
ROWS = 512


class Pairs:
    """Pairs of rows, a < b, each in one number, with their scores."""

    def __init__(self, keys, scores, count):
        self.keys, self.scores, self.count = keys, scores, count
        self.a, self.b = keys // count, keys % count

    def without(self, keys):
        return self.where(~np.isin(self.keys, keys))

    def where(self, wanted):
        return Pairs(self.keys[wanted], self.scores[wanted], self.count)


def pairs_within(vectors, blocks):
    """Returns the pairs that are over, of rows that share a block, each once."""
    count = len(vectors)
    found = [pair for rows in blocks for pair in pairs_of(vectors[rows], np.array(rows), count)]
    keys = np.concatenate([keys for keys, _ in found] or [np.empty(0, np.int64)])
    scores = np.concatenate([scores for _, scores in found] or [np.empty(0, np.int64)])
    keys, first = np.unique(keys, return_index=True)
    return Pairs(keys, scores[first], count)


def pairs_of(vectors, rows, count):
    """Yields keys and scores of the pairs of one block, whose rows ascend."""
    for start in range(0, len(rows), ROWS):
        cosines = vectors[start : start + ROWS] @ vectors[start:].T
        a, b = np.nonzero(cosines > np.float32(OVER / 10_000))
        a, b = a[a < b], b[a < b]
        scores = np.rint(cosines[a, b].astype(float).clip(-1, 1) * 10_000).astype(int)
        over = scores > OVER
        yield (rows[start + a] * count + rows[start + b])[over], scores[over]


def best(pairs):
    """Returns the pairs that are among the best of both their rows; and the rows that
    have LIMIT pairs or more, with the score of the last that counts."""
    rows = np.concatenate([pairs.a, pairs.b])
    others = np.concatenate([pairs.b, pairs.a])
    scores = np.concatenate([pairs.scores, pairs.scores])
    order = np.lexsort((others, -scores, rows))
    ranked = rows[order]
    ranks = np.arange(len(ranked)) - np.searchsorted(ranked, ranked)
    stands = np.empty(len(rows), bool)
    stands[order] = ranks < LIMIT
    last = order[ranks == LIMIT - 1]
    by_a, by_b = np.split(stands, 2)
    return pairs.where(by_a & by_b), dict(zip(rows[last].tolist(), scores[last].tolist()))
