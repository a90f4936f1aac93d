"""The works on names: substitutions by pricemill, and Python's usual way.

Made-up names are too few and too much alike: the products are an export's own.
"""

import json
import sys
from functools import partial

import duckdb

import alike
import data
from measuring import Contender
from works import HERE, Bench, Work

# What substitutions has without embeddings.
STRICT = """
with strict as (
    select * from substitutions.strict_names
    union all
    select * from substitutions.similar_sizes
)

select
    product_a,
    product_b,
    min(level) as level,
    max(score) as score,
    arg_min(source, level) as source
from strict
group by product_a, product_b
order by product_a, product_b
"""


def loaded(folder, binary, arguments):
    """Returns a project with a snapshot of the export."""
    project = data.Project(folder, binary, arguments.threads)
    done = folder / "loaded"
    if arguments.keep and done.exists():
        return project
    model = json.dumps(str(arguments.model.resolve()))
    project.make(f'[embedding]\nmodel = "minilm"\npath = {model}\n')
    project.run("load", arguments.export.resolve())
    if arguments.links:
        project.run("run", "category-links")
        project.forget("snapshots")
    project.run("fetch")
    done.touch()
    return project


class Names:
    """The works, and what they share."""

    def __init__(self, project, arguments):
        self.project, self.arguments = project, arguments
        self.out = project.folder / "answers"
        self.vectors = self.out / "vectors.parquet"
        self.bench = Bench(project, None, None, self.out, arguments.threads, None, False)

    def counts(self):
        """Returns how many products there are, and how many names."""
        files = self.project.snapshot() / "products" / "*.parquet"
        sql = f"select count(*), count(distinct normalized_name) from read_parquet('{files}')"
        return duckdb.connect().execute(sql).fetchone()

    def pricemill(self, work):
        (ours,) = self.bench.pricemill(
            work,
            "generate",
            "substitutions",
            "--snapshot",
            "latest",
            artifact=("substitutions", "substitutions.json"),
        )
        return ours

    def python(self, work, name, *options):
        threads = str(self.arguments.threads)
        command = [sys.executable, HERE / "substitutions_peer.py", "--threads", threads]
        answer = self.out / work / "python.json"
        command += ["--snapshot", self.project.snapshot(), "--out", answer, *options]
        environment = {"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
        return Contender(name, command, answer, environment=environment)

    def strict(self):
        (ours,) = self.bench.pricemill("strict", "query", "--output", "json", STRICT)
        peer = self.python("strict", "RapidFuzz", "--no-embedding")
        return Work("strict", "LVL1 and LVL2 alone", [ours, peer], alike.substitutions)

    def cold(self):
        """Every name is embedded; the vectors are kept, for the next."""
        ours = self.pricemill("cold")

        def clear():
            self.project.forget("outbox")
            self.project.forget("embeddings")

        ours.clear = clear
        model = ("--model", self.arguments.model.resolve(), "--keep", self.vectors)
        return self.meanings("cold", "no vector kept", ours, "sentence-transformers", model)

    def kept(self):
        ours = self.pricemill("kept")
        vectors = ("--vectors", self.vectors)
        return self.meanings("kept", "all vectors kept", ours, "NumPy, RapidFuzz", vectors)

    def meanings(self, work, title, ours, name, options):
        limits = self.out / work / "limits.json"
        peer = self.python(work, name, *options, "--limits", limits)
        done = Work(work, f"substitutions, {title}", [ours, peer], alike.substitutions)
        done.compare = partial(self.compare, done, limits)
        return done

    @staticmethod
    def compare(work, limits, read, contenders):
        """Returns how many rows all have; notes how many pairs only one has."""
        ours, peer = contenders
        rows = read(ours.answer)
        alone = alike.compare(ours.name, rows, peer.name, read(peer.answer), alike.limits(limits))
        work.note = f"{len(rows):,} pairs, and {alone:,} that rounding gave to one of the two"
        return len(rows)
