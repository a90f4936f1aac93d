"""The table, the targets, and where they are kept."""

import datetime
import os
import platform
from importlib.metadata import version
from pathlib import Path

# The parts of a report; each is kept between its own lines, whatever a run leaves out.
PEERS, SUBSTITUTIONS = "peers", "substitutions"
PAGE = Path("src", "docs", "peers.md")


def machine(threads):
    model = platform.processor() or platform.machine()
    memory = ""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    try:
        pages = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        memory = f", {pages / (1 << 30):.0f} GiB"
    except (ValueError, OSError):
        pass
    return f"{os.cpu_count()} cores ({model}){memory}; {threads} threads each"


def versions(pricemill, *peers):
    named = ", ".join(f"{name} {version(name)}" for name in peers)
    return f"{pricemill}, {named}, Python {platform.python_version()}"


def seconds(value):
    return f"{value:.2f}" if value < 100 else f"{value:,.0f}"


def table(works):
    lines = [
        "| work | by | seconds | CPU s | pricemill ÷ it | peak MiB |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for work in works:
        first = work.contenders[0]
        title = work.title
        for contender in work.contenders:
            wall, cpu = contender.median("wall"), contender.median("cpu")
            ratio = f"{first.median('wall') / wall:.2f}" if contender is not first else ""
            peak = max(run.peak_mib for run in contender.runs)
            lines.append(
                f"| {title} | {contender.name} | {seconds(wall)} | {seconds(cpu)} "
                f"| {ratio} | {peak:,.0f} |"
            )
            title = ""
    return lines


def targets(works, facts):
    """Returns what was asked for beside what was reached."""
    by_name = {work.name: work for work in works}

    def wall(work, name):
        for contender in by_name[work].contenders if work in by_name else ():
            if contender.name == name:
                return contender.whole()
        return None

    def cpu(work, name):
        for contender in by_name[work].contenders if work in by_name else ():
            if contender.name == name:
                return contender.median("cpu")
        return None

    wanted = [
        ("bargains, snapshot", wall("bargains", "pricemill"), "DuckDB", wall("bargains", "DuckDB"), 0.5),
        ("bargains, snapshot", wall("bargains", "pricemill"), "our own scan", wall("scan", "pricemill"), 1.5),
        ("bargains, one unsorted file", wall("unsorted", "pricemill"), "DuckDB", wall("unsorted", "DuckDB"), 1.0),
        (
            "store groups by price",
            wall("groups", "pricemill"),
            "DuckDB's self-join, scaled",
            wall("self-join", "DuckDB, self-join"),
            0.01,
        ),
        ("store groups by price", wall("groups", "pricemill"), "our own bargains", wall("bargains", "pricemill"), 4.0),
        (
            "paged JSON to Parquet, CPU",
            cpu("pages", "pricemill"),
            "requests, json, pyarrow",
            cpu("pages", "requests, json, pyarrow"),
            0.05,
        ),
    ]
    lines = ["| work | against | its seconds | ratio | at most |", "| --- | --- | ---: | ---: | ---: |"]
    for work, ours, against, theirs, most in wanted:
        if ours is not None and theirs is not None:
            lines.append(f"| {work} | {against} | {seconds(theirs)} | {ours / theirs:.3f} | {most} |")
    return lines


def growth(rows):
    lines = [
        "| prices | bargains s | ns a price | store groups s | ns a pair × product |",
        "| ---: | ---: | ---: | ---: | ---: |",
    ]
    for facts, bargains, groups in rows:
        pairs = facts.pairs_by_products()
        lines.append(
            f"| {facts.prices:,} | {seconds(bargains)} | {bargains * 1e9 / facts.prices:.1f} "
            f"| {seconds(groups)} | {groups * 1e9 / pairs:.3f} |"
        )
    return lines


def whole(arguments, pricemill, works, grown, facts):
    lines = [
        f"{facts.prices:,} prices, {facts.stores:,} stores, {facts.products:,} products"
        f" (`pricemill synth {' '.join(arguments.size)} --seed 1`); medians of {arguments.runs}"
        f" whole processes in turn; {machine(arguments.threads)};"
        f" {versions(pricemill, 'duckdb', 'polars', 'pyarrow', 'requests')};"
        f" {datetime.date.today().isoformat()}.",
        "",
        *table(works),
    ]
    scaled = [
        f"{contender.name} ({work.note}) is {100 * contender.part:.3g} % of all pairs × products:"
        f" the whole would take it {seconds(contender.whole())} s."
        for work in works
        for contender in work.contenders
        if contender.idle
    ]
    for line in scaled:
        lines += ["", line]
    asked = targets(works, facts)
    if len(asked) > 2:
        lines += ["", *asked]
    if grown:
        lines += ["", *growth(grown)]
    return "\n".join(lines) + "\n"


def substitutions(arguments, pricemill, works, counts):
    """Returns the report of the works on names; counts are of products, and of names."""
    products, names = counts
    peers = ("sentence-transformers", "torch", "rapidfuzz", "numpy", "pyarrow")
    cold = f", of {arguments.cold_runs} where no vector is kept" if arguments.cold_runs else ""
    lines = [
        (
            f"{products:,} real products, {names:,} names; medians of {arguments.runs} whole"
            f" processes in turn{cold}; {machine(arguments.threads)}; {versions(pricemill, *peers)};"
            f" {datetime.date.today().isoformat()}."
        ),
        "",
        *table(works),
    ]
    for work in works:
        if work.name == "cold":
            rates = ", ".join(
                f"{contender.name} {names / contender.median('wall'):,.0f}"
                for contender in work.contenders
            )
            lines += ["", f"Names a second, from start to end of the process: {rates}."]
        if work.note:
            lines += ["", f"{work.title}: {work.note}."]
    return "\n".join(lines) + "\n"


def save(root, part, text):
    """Puts the text between the part's lines in the documentation's page and in RESULTS.md."""
    for path in (root / PAGE, root / "benches" / "peers" / "RESULTS.md"):
        path.write_text(replaced(path.read_text(), part, text, path.name))


def replaced(whole, part, text, name):
    """Returns the whole with another text between the part's lines."""
    begin, end = f"<!-- {part}: begin -->", f"<!-- {part}: end -->"
    before, _, rest = whole.partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise SystemExit(f"{name} has no lines {begin} and {end}")
    return f"{before}{begin}\n{text}{end}{after}"
