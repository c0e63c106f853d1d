"""What was measured, as text: tables in Markdown, and a picture."""

import datetime
import os
import pathlib
import platform
import re
import subprocess

from case import BASE, OURS
from cases import INLINE
from ours import ROOT
from xml.sax.saxutils import escape

from peers.nginx import nginx_version

RECORD = ROOT / "benches" / "record"
README = ROOT / "README.md"
MISSED = (
    "Why those were missed, and what would be needed:"
    " [docs/performance.md](../../docs/performance.md#what-was-missed-and-why)."
)
BLOCK = re.compile(r"(<!-- make bench -->\n).*?(<!-- /make bench -->)", re.S)

# The columns of the table that compares servers: case, heading.
COLUMNS = {
    "hello": "hello_world",
    "headers": "12 headers, 1 KB",
    "one-block": "1 MiB bytes",
    "blocks": "64 × 16 KB",
    "upload": "1 MiB upload",
    "flask": "Flask",
    "django": "Django",
}


def targets(results):
    yield "| case | target | measured | met |"
    yield "|---|---|---|---|"
    for result in results:
        met = {True: "yes", False: "**no**", None: ""}[result.met]
        yield f"| {result.case.name} | {result.case.target} | {result.measured} | {met} |"


def details(result):
    yield "| server | CPU µs/request | requests/s | p50 | p99 | RSS of the server, MB |"
    yield "|---|---:|---:|---:|---:|---:|"
    for row in result.rows.values():
        if row.samples:
            it = row.median
            times = f"{it.p50 * 1e3:.2f} ms | {it.p99 * 1e3:.2f} ms"
            name = row.name + (" (closes connections)" if it.closed > 0.01 else "")
            yield f"| {name} | {it.cpu:.1f} | {it.rate:,.0f} | {times} | {it.rss:.1f} |"
        else:
            yield f"| {row.name} | {row.failure} | | | | |"


def comparison(results):
    """CPU a request of every server in every case; the cheapest first."""
    by_case = {result.case.name: result for result in results}
    cells = {}
    for case in COLUMNS:
        for name in (case, f"{case}-inline"):
            rows = by_case[name].rows.values() if name in by_case else ()
            for row in rows:
                if row.samples:
                    cells.setdefault(row.name, {}).setdefault(case, row.median.cpu)
    cells = {name: row for name, row in cells.items() if "hello" in row}
    columns = [case for case in COLUMNS if any(case in row for row in cells.values())]
    yield "| CPU µs/request | " + " | ".join(COLUMNS[case] for case in columns) + " |"
    yield "|---|" + "---:|" * len(columns)
    for name, row in sorted(cells.items(), key=lambda item: item[1]["hello"]):
        shown = [f"{row[case]:.1f}" if case in row else "" for case in columns]
        yield f"| {name} | " + " | ".join(shown) + " |"


def with_what(bench):
    """The versions of everything that was measured, in a sentence."""
    python = subprocess.run([bench.python, "--version"], capture_output=True, text=True)
    others = [it for it in bench.versions() if not it.startswith("nginx ")]
    return f"{python.stdout.strip()}; {nginx_version()}; {'; '.join(others)}."


def for_readme(bench, results, name):
    yield from comparison(results)
    yield ""
    yield f"Measured on {name} ([record](benches/record/{name}.md)), with {with_what(bench)}"


def conditions(bench):
    cpus = pathlib.Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*: (.*)", cpus)
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True
    ).stdout.strip()
    python = subprocess.run([bench.python, "--version"], capture_output=True, text=True)
    return (
        f"Commit {commit or 'unknown'}; {python.stdout.strip()}, {nginx_version()};"
        f" {model[1] if model else 'unknown processor'}, {os.cpu_count()} cores,"
        f" Linux {platform.release()}; {bench.rounds} interleaved rounds of {bench.seconds} s,"
        " medians; one worker on one core, wrk on another, 32 keepalive connections; load average"
        f" {bench.load_average:.1f} at the beginning."
    )


def document(bench, results):
    name = f"{datetime.date.today()}"
    lines = [f"# Whole servers, {name}", "", f"`make bench`: {conditions(bench)}", ""]
    lines += [*targets(results), "", MISSED, "", f"![CPU of a request]({name}.svg)", "", *comparison(results)]
    lines += ["", f"Versions: {with_what(bench)}"]
    for result in results:
        if result.rows:
            lines += ["", f"## {result.case.name}: {result.case.target}", "", *details(result)]
    return "\n".join(lines) + "\n"


def write(bench, results, readme):
    """benches/record/DATE.md and .svg, and the table of README, if that has a place for it."""
    RECORD.mkdir(parents=True, exist_ok=True)
    name = RECORD / f"{datetime.date.today()}"
    name.with_suffix(".md").write_text(document(bench, results))
    name.with_suffix(".svg").write_text(picture(results))
    if readme:
        table = "\n".join(for_readme(bench, results, name.name))
        text = README.read_text()
        README.write_text(BLOCK.sub(lambda found: f"{found[1]}{table}\n{found[2]}", text))
    return name.with_suffix(".md")


WIDTH, BAR, LEFT = 760, 20, 230
COLOURS = {BASE: "#7f7f7f", OURS: "#2ca02c", INLINE: "#2ca02c"}


def bars(title, values, top):
    """A panel of horizontal bars, the shortest first."""
    longest = max(values.values())
    yield f'<text x="10" y="{top + 16}" font-size="14">{escape(title)}</text>'
    for number, (name, value) in enumerate(sorted(values.items(), key=lambda item: item[1])):
        y = top + 28 + number * BAR
        width = (WIDTH - LEFT - 80) * value / longest
        yield f'<text x="{LEFT - 8}" y="{y + 13}" text-anchor="end">{escape(name)}</text>'
        colour = COLOURS.get(name, "#1f77b4")
        yield f'<rect x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR - 5}" fill="{colour}"/>'
        yield f'<text x="{LEFT + width + 6:.1f}" y="{y + 13}">{value:.1f}</text>'


def picture(results):
    by_case = {result.case.name: result for result in results}
    parts, top = [], 0
    for case in ("hello", "headers"):
        rows = {}
        for name in (case, f"{case}-inline"):
            if name in by_case:
                rows = {**by_case[name].rows, **rows}
        values = {name: row.median.cpu for name, row in rows.items() if row.samples}
        if values:
            parts += bars(f"{COLUMNS[case]}: CPU of a request, µs", values, top)
            top += 50 + BAR * len(values)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{top}" font-size="12"'
        f' font-family="sans-serif"><rect width="{WIDTH}" height="{top}" fill="white"/>'
        + "\n".join(parts)
        + "</svg>\n"
    )
