"""make conformance: the battery against our server and others; the matrix of what each does.

With all rows and all servers, the matrix is written to benches/record as Markdown and as a picture.
With ROW or PEER chosen, what was found is printed, with the bytes of all that did not pass.
"""

import argparse
import datetime
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT / "benches"), str(ROOT / "tests" / "nginx")]

import judge  # noqa: E402
import peers  # noqa: E402
from endings import end_by_exception  # noqa: E402
from matrix import Column, markdown, picture  # noqa: E402

DEFAULT = "ours mod_wsgi uwsgi nginx-uwsgi gunicorn granian waitress".split()
MARKS = {judge.PASS: ".", judge.WEAK: "w", judge.FAULT: "F", judge.ABSENT: "-"}
THREADS = 4


def main():
    end_by_exception()
    options = arguments()
    names = options.peer or DEFAULT
    columns = []
    needed = {it for name in names for it in peers.SERVERS[name].distributions}
    failed = peers.install(sorted(needed))
    for name in names:
        columns.append(examine(name, options, failed))
    if options.row or options.peer:
        for column in columns:
            details(column)
    else:
        record(columns)
    ours = [column for column in columns if column.name == "ours"]
    found = [verdict for column in ours for verdict in column.verdicts]
    wrong = any(verdict.kind in (judge.FAULT, judge.WEAK) for verdict in found)
    sys.exit(1 if wrong or any(column.missing for column in ours) else 0)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--row", nargs="+", choices=judge.rows(), metavar="ROW")
    parser.add_argument("--peer", nargs="+", choices=[*peers.SERVERS], metavar="PEER")
    parser.add_argument("--patience", type=float, default=5.0, help="seconds to wait for a server")
    return parser.parse_args()


def examine(name, options, failed):
    """One server's column of the matrix."""
    server = peers.SERVERS[name]
    reason = next((failed[it] for it in server.distributions if it in failed), None)
    column = Column(name, server.title, reason or server.why_missing())
    if column.missing:
        print(f"{name:12} left out: {column.missing}", flush=True)
        return column
    column.version = server.version()
    print(f"{name:12} ", end="", flush=True)
    try:
        run(server, options, column)
    except peers.CannotStart as error:
        column.missing = str(error).strip().splitlines()[-1]
        print(f" left out: {error}", end="")
    print(flush=True)
    return column


def run(server, options, column):
    """Starts the server, and again whenever a probe has ended it, or waited in vain.

    What was decided by waiting is asked again, of the server just started; then it counts.
    """
    application = peers.Application(HERE / "app.py")
    chosen = [probe for row in options.row or judge.rows() for probe in judge.probes_of(row)]
    asked_again = set()
    while chosen:
        threads = THREADS if server.threaded else 1
        with (
            peers.start(server.name, application, threads=threads) as running,
            judge.Judge(running.address, options.patience, threads) as judging,
        ):
            while chosen:
                verdict = judging.judge(chosen[0])
                wrong = verdict.kind in (judge.FAULT, judge.WEAK)
                if wrong and verdict.by_waiting and chosen[0] not in asked_again:
                    asked_again.add(chosen[0])
                    break
                chosen.pop(0)
                outlived = judging.is_alive()
                if not outlived and verdict.kind != judge.FAULT:
                    verdict.kind, verdict.phrase = judge.FAULT, "the server answers nobody after it"
                column.verdicts.append(verdict)
                print(MARKS[verdict.kind], end="", flush=True)
                if not outlived:
                    break


def details(column):
    for verdict in column.verdicts:
        probe = verdict.probe
        print(f"\n{column.name}, row {probe.row}, {probe.name}: {probe.rule}")
        print(f"    {verdict.kind}{': ' if verdict.phrase else ''}{verdict.phrase}")
        if verdict.kind in (judge.FAULT, judge.WEAK):
            for sent, received in verdict.wires:
                print(f"    sent     {sent[:600]!r}")
                print(f"    received {received[:1200]!r}")


def record(columns):
    date = datetime.date.today().isoformat()
    folder = ROOT / "benches" / "record"
    image = folder / f"conformance-{date}.svg"
    image.write_text(picture(columns))
    text = folder / f"conformance-{date}.md"
    text.write_text(markdown(columns, date, image.name))
    print(f"wrote {text.relative_to(ROOT)} and {image.relative_to(ROOT)}")


main()
