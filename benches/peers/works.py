"""The works: who does each, by which command, and how the answers are read."""

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import answers
import data
from measuring import Contender

HERE = Path(__file__).parent

# Pairs of stores times products that a self-join is asked for.
PART = 250_000_000

SUMS = (
    "select sum(product_id) as product_ids, sum(store_id) as store_ids, "
    "sum(price) as prices, sum(price_record_id) as price_record_ids from prices"
)

# Every tied pair of a part: what a self-join answers.
TIES = """
with part as (
    select prices.store_id, prices.product_id, prices.price
    from prices
    inner join stores on prices.store_id = stores.id
    where stores.company = '{company}' and prices.product_id <= {last}
),
matrices as (
    select price_matrix(store_id, product_id, price) as matrix
    from part
),
agreements as (
    select unnest(price_agreement(matrix, 0, 99.5)) as pair
    from matrices
)
select
    pair['store_a'] as store_a,
    pair['store_b'] as store_b,
    pair['common'] as common_count,
    pair['same'] as same_count
from agreements
order by store_a, store_b
"""

# Which formulation is the fastest on what: found by --formulations.
SORTED = {"duckdb": "by price first", "polars": "known sorted"}
UNSORTED = {"duckdb": "one integer key", "polars": "one integer key"}


@dataclass
class Work:
    """One work and all who do it."""

    name: str
    title: str
    contenders: list
    read: callable
    # Of which the answers must be the same; each of its own part is compared alone.
    note: str = ""
    # Returns how many rows all have, or raises.
    compare: callable = answers.compare

    def check(self):
        """Returns how many rows all have, or raises."""
        return self.compare(self.read, self.contenders)


class Bench:
    """Everything that the works share."""

    def __init__(self, project, unsorted, facts, out, threads, memory, formulations):
        self.project, self.unsorted, self.facts, self.out = project, unsorted, facts, out
        self.threads, self.memory, self.formulations = threads, memory, formulations

    def pricemill(self, work, *arguments, artifact=None, environment=None):
        """Returns pricemill, and pricemill with little memory."""
        limits = [("pricemill", {})]
        if self.memory:
            little = {"PRICEMILL_ENGINE_MEMORY": self.memory}
            limits.append((f"pricemill, {self.memory}", little))
        return [
            self._pricemill(work, name, arguments, artifact, {**(environment or {}), **limit})
            for name, limit in limits
        ]

    def _pricemill(self, work, name, arguments, artifact, environment):
        answer = self.out / work / f"{name.replace(', ', '-')}.json"
        contender = Contender(
            name,
            [self.project.binary, *arguments],
            answer,
            folder=self.project.folder,
            environment=environment,
            prints=artifact is None,
        )
        if artifact is not None:
            pipeline, file = artifact

            def settle():
                (found,) = self.project.data.glob(f"outbox/{pipeline}/*/{file}")
                shutil.move(found, answer)

            contender.clear = lambda: self.project.forget("outbox")
            contender.settle = settle
        return contender

    def peer(self, work, engine, *arguments, name=None, formulation=None):
        title = {"duckdb": "DuckDB", "polars": "Polars"}[engine]
        name = name or (f"{title}, {formulation}" if self.formulations else title)
        answer = self.out / work / f"{name.replace(', ', '-').replace(' ', '-')}.json"
        command = [sys.executable, HERE / f"{engine}_peer.py", *arguments, "--out", answer]
        if formulation:
            command += ["--formulation", formulation]
        if engine == "duckdb":
            command += ["--threads", self.threads, "--temp", self.out / "duckdb"]
        environment = {"POLARS_MAX_THREADS": str(self.threads)}
        return Contender(name, command, answer, environment=environment)

    def peer_of_part(self, work, engine, *arguments, name, part, nothing):
        """Returns a peer that does a part; with the arguments `nothing` it does none."""
        peer = self.peer(work, engine, *arguments, name=name)
        peer.part = part
        peer.idle = self.peer(work, engine, *arguments, *nothing, name=f"{name}, idle")
        return peer

    def bargains_peers(self, work, files, best):
        import duckdb_peer
        import polars_peer

        known = {"duckdb": duckdb_peer.BARGAINS, "polars": polars_peer.BARGAINS}
        contenders = []
        for engine in ("duckdb", "polars"):
            wanted = list(known[engine]) if self.formulations else [best[engine]]
            if work == "unsorted":
                wanted = [name for name in wanted if name != "known sorted"]
            contenders += [
                self.peer(work, engine, "bargains", "--prices", files, formulation=name)
                for name in wanted
            ]
        return contenders

    def bargains(self):
        ours = self.pricemill(
            "bargains",
            "generate",
            "bargains",
            "--snapshot",
            "latest",
            artifact=("bargains", "bargains.json"),
        )
        peers = self.bargains_peers("bargains", self.project.prices(), SORTED)
        return Work("bargains", "bargains, snapshot", ours + peers, answers.bargains)

    def unsorted_bargains(self):
        ours = self.pricemill(
            "unsorted",
            "query",
            "--file",
            f"prices={self.unsorted}",
            "--output",
            "json",
            "select * from bargains order by product_id",
        )
        peers = self.bargains_peers("unsorted", self.unsorted, UNSORTED)
        return Work("unsorted", "bargains, one unsorted file", ours + peers, answers.bargains)

    def scan(self):
        ours = self.pricemill("scan", "query", "--output", "json", SUMS)[:1]
        files = ("--prices", self.project.prices())
        peers = [self.peer("scan", engine, "scan", *files) for engine in ("duckdb", "polars")]
        return Work("scan", "scan of its four columns", ours + peers, answers.sums)

    def files(self):
        return ("--prices", self.project.prices(), "--stores", self.project.stores())

    def groups(self):
        ours = self.pricemill(
            "groups",
            "generate",
            "store-groups",
            "--snapshot",
            "latest",
            artifact=("store-groups", "store_groups.json"),
        )
        peers = [self.peer("groups", "duckdb", "store-groups", *self.files(), name="DuckDB, bit planes")]
        return Work("groups", "store groups by price", ours + peers, answers.groups)

    def self_join(self):
        """The pairs of a part, by all three; what the whole would take is told."""
        company, last, done = self.facts.part(
            self.project.prices(), self.project.stores(), PART
        )
        part = done / self.facts.pairs_by_products()
        sql = TIES.format(company=company.replace("'", "''"), last=last)
        ours = self.pricemill("self-join", "query", "--output", "json", sql)[:1]
        ours[0].name = "pricemill, the part"
        limits = ("--company", company, "--last", last)
        peers = [
            self.peer_of_part(
                "self-join",
                engine,
                "self-join",
                *self.files(),
                *limits,
                name=name,
                part=part,
                nothing=("--last", -1),
            )
            for engine, name in (("duckdb", "DuckDB, self-join"), ("polars", "Polars, self-join"))
        ]
        note = f"{company}, products up to {last}"
        return Work("self-join", "store pairs, a part", ours + peers, answers.pairs, note)

    def columns(self):
        """One company by Polars' column a store; its groups against DuckDB's."""
        company = min(self.facts.companies, key=self.facts.companies.get)
        part = self.facts.companies[company] / self.facts.pairs_by_products()
        peer = self.peer_of_part(
            "columns",
            "polars",
            "store-groups",
            *self.files(),
            *("--company", company),
            name="Polars, a column a store",
            part=part,
            nothing=("--company", "none"),
        )

        def read(path):
            return [row for row in answers.groups(path) if row[0] == company]

        ours = self.pricemill(
            "columns",
            "generate",
            "store-groups",
            "--snapshot",
            "latest",
            artifact=("store-groups", "store_groups.json"),
        )[:1]
        ours[0].name = "pricemill, all companies"
        return Work("columns", "store groups, one company", ours + [peer], read, company)


def pages(bench, address, client, out):
    """Paged JSON to Parquet: Python's usual way, ours, and ours in one Arrow stream."""

    def fetch(name, columnar):
        answer = out / "pages" / f"{name.replace(', ', '-').replace(' ', '-')}"
        contender = Contender(
            name,
            [client.binary, "fetch", "prices", "--profile", "peers"],
            answer,
            folder=client.folder,
            environment={
                "INTERNAL_API_KEY": data.KEY,
                "PRICEMILL_FETCH_COLUMNAR": str(columnar).lower(),
            },
        )

        def settle():
            shutil.rmtree(answer, ignore_errors=True)
            shutil.move(client.snapshot() / "prices", answer)

        contender.clear = lambda: client.forget("snapshots")
        contender.settle = settle
        return contender

    usual = out / "pages" / "python.parquet"
    command = [sys.executable, HERE / "pages_peer.py", "--key", data.KEY]
    command += ["--url", f"{address}/api/export/prices/", "--out", usual]
    contenders = [
        fetch("pricemill", False),
        Contender("requests, json, pyarrow", command, usual),
        fetch("pricemill, one Arrow stream", True),
    ]
    return Work("pages", "paged JSON to Parquet", contenders, answers.prices)
