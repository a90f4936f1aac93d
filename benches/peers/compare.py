"""Runs the same work on the same files with pricemill, DuckDB and Polars.

Makes the data, runs every work in turn as whole processes, checks that all answers are
the same, row by row, and prints a table. Exits with 1 when anything fails or differs.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import report
from answers import Differ
from data import Facts, Project, server
from measuring import Failed, interleaved
from names import Names, loaded
from works import Bench, pages

# What is run when nothing else is asked for.
NAMES = ("bargains", "unsorted", "scan", "groups", "self-join", "columns", "pages", "growth")
# Needs real products, a model, and requirements of its own.
SUBSTITUTIONS = "substitutions"
PRESETS = {"s": 1_000_000, "m": 10_000_000, "l": 100_000_000, "xl": 1_000_000_000}

# Prices that come by pages: many requests, little data.
PAGED = 1_000_000


def parse():
    parser = argparse.ArgumentParser(
        prog="benches/peers/run",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--preset", choices=PRESETS, default="s", help="the size of the data (s)")
    size.add_argument("--prices", type=int, help="approximate number of prices, instead of a preset")
    parser.add_argument("--runs", type=int, default=5, help="runs of each, in turn (5)")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="for each (all cores)")
    parser.add_argument(
        "--memory",
        default="768MiB",
        help="also run pricemill with this engine memory (768MiB); `none` not to",
    )
    parser.add_argument(
        "--only", type=lambda text: text.split(","), default=list(NAMES), help=", ".join(NAMES)
    )
    names = parser.add_argument_group(
        "--only substitutions", "the Python way of substitutions, on real products"
    )
    names.add_argument("--export", type=Path, help="a folder of products, as `load` reads it")
    names.add_argument("--model", type=Path, help="the folder of all-MiniLM-L6-v2")
    names.add_argument(
        "--links", action="store_true", help="link categories first, so that there is LVL4"
    )
    names.add_argument(
        "--cold-runs",
        type=int,
        default=1,
        help="runs that embed every name (1); 0 takes what an earlier run with --keep embedded",
    )
    parser.add_argument("--binary", type=Path, help="a pricemill that is built already")
    parser.add_argument("--work", type=Path, help="where the data goes (target/peers)")
    parser.add_argument("--keep", action="store_true", help="keep the data, and use what is there")
    parser.add_argument(
        "--formulations", action="store_true", help="bargains by every formulation of the peers"
    )
    parser.add_argument("--check", action="store_true", help="check that all results agree, without timing")
    parser.add_argument("--save", action="store_true", help="into src/docs/peers.md and RESULTS.md")
    parser.add_argument("--root", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--target", type=Path, required=True, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    known = (*NAMES, SUBSTITUTIONS)
    unknown = set(arguments.only) - set(known)
    if unknown:
        parser.error(
            f"--only: no work is called {', '.join(unknown)}; there are {', '.join(known)}"
        )
    if SUBSTITUTIONS in arguments.only and not (arguments.export and arguments.model):
        parser.error("--only substitutions: name products by --export, and a model by --model")
    if not arguments.cold_runs and not arguments.keep:
        parser.error("--cold-runs 0: vectors of an earlier run are there with --keep alone")
    arguments.memory = None if arguments.memory == "none" else arguments.memory
    arguments.size = ["--preset", arguments.preset]
    if arguments.prices:
        arguments.size = ["--prices", str(arguments.prices)]
    return arguments


def say(text):
    print(f"peers: {text}", file=sys.stderr, flush=True)


def build(arguments):
    """Returns the binary, built as users build it."""
    if arguments.binary:
        return arguments.binary.resolve()
    command = ["cargo", "build", "--release", "--locked", "--bin", "pricemill"]
    environment = {**os.environ, "CARGO_TARGET_DIR": str(arguments.target)}
    subprocess.run(command, cwd=arguments.root, env=environment, check=True)
    return arguments.target / "release" / "pricemill"


def made(arguments, work, binary):
    """Returns the snapshot's project, and the same prices in one file in no order."""
    folder = work / (f"{arguments.prices}" if arguments.prices else arguments.preset)
    project = Project(folder, binary, arguments.threads)
    files = folder / "files"
    if not (arguments.keep and (files / "made").exists()):
        began = time.monotonic()
        project.make()
        project.synth(arguments.size, "--snapshot")
        project.synth(arguments.size, "--out", "files", "--format", "parquet", "--order", "arrival")
        (files / "made").touch()
        say(f"data made in {time.monotonic() - began:.0f} s")
    return project, files / "prices.parquet"


def run(work, runs):
    say(f"{work.title}: {', '.join(contender.name for contender in work.contenders)}")
    interleaved(work.contenders, runs)
    rows = work.check()
    say(f"{work.title}: all agree, {rows:,} rows")
    return work


def run_pages(arguments, bench, work, prices):
    """Fetches from a database of at most that many prices."""
    serving = Project(work / "serving", bench.project.binary, arguments.threads)
    serving.make("[serve]\ninternal_per_day = 1000000000\n")
    serving.synth(["--prices", str(min(prices, PAGED))], "--database")
    client = Project(work / "client", bench.project.binary, arguments.threads)
    with server(serving) as address:
        client.make(f'[profile.peers]\nserver = "{address}"\n')
        done = run(pages(bench, address, client, bench.out), arguments.runs)
    for project in (serving, client):
        shutil.rmtree(project.folder)
    return done


def run_growth(arguments, bench, work):
    """Returns the facts and our times at a sixteenth, a quarter and the whole."""
    rows = []
    for share in (16, 4, 1):
        project, facts = bench.project, bench.facts
        if share > 1:
            project = Project(work / "growth", project.binary, arguments.threads).make()
            project.synth(["--prices", str(max(1_000, facts.prices // share))], "--snapshot")
            facts = Facts(project.prices(), project.stores())
        sized = Bench(project, None, facts, bench.out / "growth", arguments.threads, None, False)
        ours = [sized.bargains().contenders[0], sized.groups().contenders[0]]
        interleaved(ours, arguments.runs)
        rows.append((facts, *(contender.median("wall") for contender in ours)))
        say(f"growth: {facts.prices:,} prices")
    shutil.rmtree(work / "growth")
    return rows


def run_substitutions(arguments, pricemill, work, binary):
    """Runs the works on names, those first that make the vectors for the others."""
    project = loaded(work / SUBSTITUTIONS, binary, arguments)
    names = Names(project, arguments)
    works = [run(names.cold(), arguments.cold_runs)] if arguments.cold_runs else []
    works += [run(make(), arguments.runs) for make in (names.kept, names.strict)]
    text = report.substitutions(arguments, pricemill, works, names.counts())
    tell(arguments, report.SUBSTITUTIONS, works, text)
    if not arguments.keep:
        shutil.rmtree(project.folder)


def run_synthetic(arguments, pricemill, work, binary):
    """Runs all other works, on made-up prices."""
    project, unsorted = made(arguments, work, binary)
    facts = Facts(project.prices(), project.stores())
    out = project.folder / "answers"
    bench = Bench(
        project,
        unsorted,
        facts,
        out,
        arguments.threads,
        arguments.memory,
        arguments.formulations,
    )
    known = {
        "bargains": bench.bargains,
        "unsorted": bench.unsorted_bargains,
        "scan": bench.scan,
        "groups": bench.groups,
        "self-join": bench.self_join,
        "columns": bench.columns,
    }
    works = [run(make(), arguments.runs) for name, make in known.items() if name in arguments.only]
    if "pages" in arguments.only:
        works.append(run_pages(arguments, bench, work, facts.prices))
    grown = []
    if "growth" in arguments.only and not arguments.check:
        grown = run_growth(arguments, bench, work)
    text = report.whole(arguments, pricemill, works, grown, facts)
    tell(arguments, report.PEERS, works, text)
    if not arguments.keep:
        shutil.rmtree(project.folder)


def tell(arguments, part, works, text):
    if arguments.check:
        print(f"{len(works)} works, the same answers")
        return
    print(text, end="")
    if arguments.save:
        report.save(arguments.root, part, text)


def main():
    arguments = parse()
    work = (arguments.work or arguments.target / "peers").resolve()
    binary = build(arguments)
    told = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True)
    pricemill = told.stdout.strip()
    if set(arguments.only) & set(NAMES):
        run_synthetic(arguments, pricemill, work, binary)
    if SUBSTITUTIONS in arguments.only:
        run_substitutions(arguments, pricemill, work, binary)


if __name__ == "__main__":
    try:
        main()
    except (Failed, Differ) as error:
        print(f"peers: {error}", file=sys.stderr)
        sys.exit(1)
