"""What is worked on: a made-up export as a snapshot, and as one unsorted file."""

import os
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import duckdb

from measuring import Failed

KEY = "peers"


class Project:
    """A work folder of pricemill's, with the definitions that the binary holds."""

    def __init__(self, folder, binary, threads):
        self.folder, self.binary, self.threads = folder, binary, threads
        self.data = folder / "data"

    def make(self, settings=""):
        if self.folder.exists():
            shutil.rmtree(self.folder)
        self.folder.mkdir(parents=True)
        text = f'data = "data"\n[engine]\nthreads = {self.threads}\n{settings}'
        (self.folder / "pricemill.toml").write_text(text)
        return self

    def run(self, *arguments):
        done = subprocess.run(
            [self.binary, *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            env={**os.environ, "INTERNAL_API_KEY": KEY},
        )
        if done.returncode != 0:
            raise Failed(f"pricemill {' '.join(arguments)}:\n{done.stderr}")

    def synth(self, size, *arguments):
        self.run("synth", *size, "--seed", "1", *arguments)

    def snapshot(self):
        """Returns the folder of the only snapshot."""
        (found,) = [
            path.parent for path in self.data.glob("snapshots/*/manifest.json")
        ]
        return found

    def prices(self):
        return str(self.snapshot() / "prices" / "*.parquet")

    def stores(self):
        return str(self.snapshot() / "stores" / "*.parquet")

    def forget(self, what):
        shutil.rmtree(self.data / what, ignore_errors=True)


class Facts:
    """How much there is to do."""

    def __init__(self, prices, stores):
        connection = duckdb.connect()
        connection.execute(f"create view prices as from read_parquet('{prices}')")
        connection.execute(f"create view stores as from read_parquet('{stores}')")
        self.prices, self.products, self.last = connection.execute(
            "select count(*), count(distinct product_id), max(product_id) from prices"
        ).fetchone()
        (self.stores,) = connection.execute("select count(*) from stores").fetchone()
        rows = connection.execute(
            """
select company, count(distinct store_id), count(distinct product_id)
from prices inner join stores on store_id = stores.id
group by company order by company
"""
        ).fetchall()
        self.companies = {
            company: (stores * (stores - 1) // 2) * products
            for company, stores, products in rows
        }

    def pairs_by_products(self):
        """Pairs of stores times products, added up over the companies."""
        return sum(self.companies.values())

    def part(self, prices, stores, at_most):
        """Returns a company, a last product id, and the pairs times products up to it:
        a part that a self-join can finish."""
        company = min(self.companies, key=self.companies.get)
        connection = duckdb.connect()
        ids, pairs = connection.execute(
            f"""
select list(distinct product_id order by product_id),
    count(distinct store_id) * (count(distinct store_id) - 1) // 2
from read_parquet('{prices}')
inner join read_parquet('{stores}') as stores on store_id = stores.id
where company = $company
""",
            {"company": company},
        ).fetchone()
        products = max(1, min(len(ids), at_most // max(1, pairs)))
        return company, ids[products - 1], pairs * products


@contextmanager
def server(project):
    """Serves the project's database; gives the address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    log = open(project.folder / "serve.log", "wb")
    serving = subprocess.Popen(
        [project.binary, "serve", "--listen", address],
        cwd=project.folder,
        stdout=log,
        stderr=log,
        env={**os.environ, "INTERNAL_API_KEY": KEY},
    )
    try:
        wait_for(serving, address, project.folder / "serve.log")
        yield f"http://{address}"
    finally:
        serving.terminate()
        serving.wait()
        log.close()


def wait_for(serving, address, log):
    host, port = address.split(":")
    for _ in range(600):
        if serving.poll() is not None:
            break
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise Failed(f"pricemill serve did not start:\n{log.read_text(errors='replace')}")
