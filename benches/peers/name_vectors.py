"""Vectors of names: made by sentence-transformers, and kept in Parquet.

A file has the columns `text` and `vector`, as pricemill's model `file` reads them.
"""

import numpy as np
import pyarrow as pa
from pyarrow import compute, parquet

# The fastest on two cores, of 32, 64, 128 and 256.
BATCH = 128


def embed(names, folder, threads):
    """Returns the vectors of the names, of length 1, by the model in the folder."""
    # Loading it takes seconds, which who has the vectors need not spend.
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(threads)
    model = SentenceTransformer(str(folder), device="cpu")
    return model.encode(names, batch_size=BATCH, normalize_embeddings=True, show_progress_bar=False)


def keep(path, names, vectors):
    numbers = pa.array(vectors.ravel())
    vectors = pa.FixedSizeListArray.from_arrays(numbers, vectors.shape[1])
    table = pa.table({"text": names, "vector": vectors.cast(pa.list_(pa.float32()))})
    parquet.write_table(table, path, compression="none", use_dictionary=False)


def kept(path, names):
    """Returns the vectors of the names out of a file, or a folder of them."""
    table = parquet.read_table(path, columns=["text", "vector"]).combine_chunks()
    places = compute.index_in(pa.array(names), value_set=table["text"])
    if places.null_count:
        raise SystemExit(f"{path} lacks the vectors of {places.null_count} names")
    numbers = table["vector"].combine_chunks().flatten().to_numpy()
    return np.take(numbers.reshape(len(table), -1), places.to_numpy(), axis=0)
