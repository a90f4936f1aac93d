"""Substitutions, Python's usual way: RapidFuzz, sentence-transformers, NumPy.

LVL1 and LVL2 are looked for by brand, LVL3 by category, LVL4 by categories that links
connect. Sizes are read by the plain Python that pricemill's tests are held to.
"""

import argparse
import json
import sys
from collections import defaultdict
from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np
from pyarrow import parquet
from rapidfuzz import fuzz, process, utils

import cosines
import name_vectors

sys.path.append(str(Path(__file__).parents[2] / "tests" / "golden"))

from substitutions import find_size, normalized, parse_size

SOURCES = {
    "LVL1": "local_strict_name_v1",
    "LVL2": "local_size_similarity_v1",
    "LVL3": "local_sbert_v1",
    "LVL4": "local_sbert_linked_v1",
}

MIN_RATIO = 90
# Threads cost more than they bring where a block has fewer names.
MANY = 100


def products(snapshot):
    """Returns the products by id, each with its size: base, packs and amount, or none."""
    rows = parquet.read_table(snapshot / "products").sort_by("id").to_pylist()
    parsed = cache(parse_size)
    for row in rows:
        row["size"] = (row["size"] and parsed(row["size"])) or find_size(row["name"])
        if row["normalized_name"] is None:
            row["normalized_name"] = normalized(row["name"])
    return rows


def blocks(keyed):
    """Returns the values that share a key, where two or more do, in their order."""
    shared = defaultdict(list)
    for key, value in keyed:
        shared[key].append(value)
    return [values for values in shared.values() if len(values) > 1]


def strict_names(rows):
    """LVL1: returns the pairs that differ in their size alone."""
    named = ((row["brand_id"], row["normalized_name"]) for row in rows)
    return {
        (one["id"], other["id"])
        for block in blocks((key, row) for key, row in zip(named, rows) if key[1])
        for one, other in combinations(block, 2)
        if one["size"] != other["size"]
    }


def similar_sizes(rows, threads):
    """LVL2: returns the pairs with similar names and compatible sizes."""
    sized = (((row["brand_id"], *row["size"][:2]), row) for row in rows)
    return {pair for block in blocks(sized) for pair in similar_names(block, threads)}


def similar_names(block, threads):
    names = [utils.default_process(row["name"]) for row in block]
    ratios = process.cdist(
        names,
        names,
        scorer=fuzz.token_set_ratio,
        score_cutoff=MIN_RATIO,
        dtype=np.float64,
        workers=threads if len(block) >= MANY else 1,
    )
    a, b = np.nonzero(np.triu((ratios > MIN_RATIO) & (ratios < 100), 1))
    amounts = np.array([row["size"][2] for row in block])
    near = 10 * np.abs(amounts[a] - amounts[b]) <= np.minimum(amounts[a], amounts[b])
    ids = np.array([row["id"] for row in block])
    return zip(ids[a[near]].tolist(), ids[b[near]].tolist())


def components(links):
    """Returns the group of each category that is linked."""
    parents = {}

    def root(node):
        while parents.setdefault(node, node) != node:
            node = parents[node]
        return node

    for link in links:
        a, b = root(link["category_a_id"]), root(link["category_b_id"])
        parents[max(a, b)] = min(a, b)
    return {node: root(node) for node in list(parents)}


def similar_meanings(rows, vectors, links, settled):
    """Yields LVL3 and LVL4: pairs by the places of their rows, less those settled."""
    categories = [set(row["category"]) for row in rows]
    groups = components(links)
    linked = [{groups[number] for number in row if number in groups} for row in categories]
    common = cosines.pairs_within(vectors, shared(categories))
    others = cosines.pairs_within(vectors, shared(linked)).without(common.keys)
    yield "LVL3", cosines.best(common.without(settled))
    yield "LVL4", cosines.best(others.without(settled))


def shared(lists):
    """Returns the places of the rows that have a number in common."""
    return blocks((number, place) for place, row in enumerate(lists) for number in row)


def vectors_of(names, arguments):
    """Returns the names' vectors, made or kept."""
    if arguments.vectors:
        return name_vectors.kept(arguments.vectors, names)
    texts = sorted(set(names))
    vectors = name_vectors.embed(texts, arguments.model, arguments.threads)
    if arguments.keep:
        name_vectors.keep(arguments.keep, texts, vectors)
    places = {text: place for place, text in enumerate(texts)}
    return vectors[[places[name] for name in names]]


def meanings(rows, arguments, strict):
    """Returns rows of LVL3 and LVL4; by level and product, how high a score must be to be
    among the best, where there are more."""
    rows = [row for row in rows if row["normalized_name"]]
    ids = [row["id"] for row in rows]
    places = {number: place for place, number in enumerate(ids)}
    settled = [places[a] * len(rows) + places[b] for a, b in strict if a in places and b in places]
    vectors = vectors_of([row["normalized_name"] for row in rows], arguments)
    links = arguments.snapshot / "category_links"
    links = parquet.read_table(links).to_pylist() if links.exists() else []
    found, limits = [], {}
    for level, (pairs, last) in similar_meanings(rows, vectors, links, settled):
        columns = (pairs.a.tolist(), pairs.b.tolist(), pairs.scores.tolist())
        found += [(ids[a], ids[b], level, score / 10_000) for a, b, score in zip(*columns)]
        limits[level] = {ids[place]: score for place, score in last.items()}
    return found, limits


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("--snapshot", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=-1)
    vectors = parser.add_mutually_exclusive_group(required=True)
    vectors.add_argument("--no-embedding", action="store_true", help="LVL1 and LVL2 alone")
    vectors.add_argument("--model", type=Path, help="embed by the model in this folder")
    vectors.add_argument("--vectors", type=Path, help="read the vectors that were kept here")
    parser.add_argument("--keep", type=Path, help="keep the vectors that were made here")
    parser.add_argument("--limits", type=Path, help="write the limits of products here")
    return parser.parse_args()


def main():
    arguments = parse()
    rows = products(arguments.snapshot)
    branded = [row for row in rows if row["brand_id"] is not None and row["size"]]
    strict = dict.fromkeys(similar_sizes(branded, arguments.threads), ("LVL2", 0.95))
    strict |= dict.fromkeys(strict_names(branded), ("LVL1", 1.0))
    found = [(*pair, *level) for pair, level in strict.items()]
    if not arguments.no_embedding:
        similar, limits = meanings(rows, arguments, strict)
        found += similar
        if arguments.limits:
            arguments.limits.write_text(json.dumps(limits))
    columns = ("product_a", "product_b", "level", "score", "source")
    answer = [dict(zip(columns, (*row, SOURCES[row[2]]))) for row in sorted(found)]
    arguments.out.write_text(json.dumps(answer))


if __name__ == "__main__":
    main()
