#!/usr/bin/env python3
"""`make bench`: compares WSGI in nginx with nginx itself and with other servers.

In each case every server runs one worker on one core, and the load on another. The servers take
turns, round by round, so that other work of the machine affects all alike. The results are medians.
CPU is that of all processes of a server, from /proc: with connections that are always busy it is
more telling than requests a second, which also depend on how fast the load is.
"""

import argparse
import os
import shutil
import sys

import ours  # noqa: I001  (it makes `peers` importable)
import peers
import record
from endings import end_by_exception
from cases import frameworks, large_bodies, small_requests
from latency import Busy, Sleepers
from workers import Memory, TwoWorkers

# How the other servers run: the name in tables, the server, its threads.
PEERS = [
    ("bjoern", "bjoern", 1),
    ("fastwsgi", "fastwsgi", 1),
    ("granian", "granian", 8),
    ("granian, 1 thread", "granian", 1),
    ("pyruvate", "pyruvate", 8),
    ("pyvoy (Envoy)", "pyvoy", 8),
    ("caddy-snake (Caddy)", "caddysnake", 8),
    ("socketify", "socketify", 1),
    ("uWSGI", "uwsgi", 8),
    ("nginx + uWSGI", "nginx-uwsgi", 8),
    ("nginx + uWSGI, 1 thread", "nginx-uwsgi", 1),
    ("mod_wsgi, embedded", "mod_wsgi", 8),
    ("mod_wsgi, daemon", "mod_wsgi-daemon", 8),
    ("gunicorn", "gunicorn", 8),
    ("nginx + gunicorn", "nginx-gunicorn", 8),
    ("waitress", "waitress", 8),
]


class Bench:
    """What all cases need to know."""

    def __init__(self, options):
        self.rounds, self.seconds = options.rounds, options.seconds
        self.server_core, self.load_cores = options.server_core, {options.load_core}
        self.python = os.environ.get("PYTHON", "/usr/bin/python3")
        self.load_average, self.frameworks = os.getloadavg()[0], None
        self.peers = [peer for peer in PEERS if not options.peer or peer[1] in options.peer]

    def install(self):
        """A server that cannot be installed takes no part. The reason is printed."""
        names = {name for _, name, _ in self.peers}
        wanted = {it for name in names for it in peers.SERVERS[name].distributions}
        for distribution, reason in peers.install(sorted(wanted)).items():
            print(f"make bench: {distribution} takes no part: {reason}", file=sys.stderr)
        self.peers = [peer for peer in self.peers if not peers.why_missing(peer[1])]

    def peers_for(self, case):
        for title, name, threads in self.peers:
            if case.peers == "threaded":
                if threads > 1 and peers.SERVERS[name].threaded:
                    yield title, name, 32
            elif case.peers == "all" or name in case.peers:
                yield title, name, threads

    def framework_path(self, name):
        """The folders of Flask and Django: those that the tests have."""
        if not name.startswith("json_"):
            return ()
        if self.frameworks is None:
            tests = ours.ROOT / "tests" / "nginx"
            sys.path += [str(tests), str(tests / "frameworks")]
            import virtualenv

            self.frameworks = [*virtualenv.make().glob("lib/python3*/site-packages")]
        return self.frameworks

    def versions(self):
        return sorted({peers.SERVERS[name].version() for _, name, _ in self.peers})


def all_cases():
    return [
        *small_requests(),
        Sleepers(),
        Busy(),
        *large_bodies(),
        *frameworks(),
        Memory(),
        TwoWorkers(),
    ]


def arguments(cases):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0].partition(": ")[2])
    names = sorted({name for _, name, _ in PEERS})
    known = [case.name for case in cases]
    parser.add_argument("--case", nargs="*", metavar="CASE", choices=known, help=", ".join(known))
    parser.add_argument(
        "--peer",
        nargs="*",
        metavar="PEER",
        choices=["none", *names],
        help=f"none, {', '.join(names)}; default: all",
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2, help="of a round")
    parser.add_argument("--server-core", type=int, default=0)
    parser.add_argument("--load-core", type=int, default=1)
    options = parser.parse_args()
    if (os.cpu_count() or 1) < 2 or not shutil.which("wrk"):
        parser.error("needs wrk and two cores: one for the server, one for the load")
    return options


def main():
    end_by_exception()
    cases = all_cases()
    options = arguments(cases)
    bench, results = Bench(options), []
    ours.make_files()
    bench.install()
    for case in cases:
        if options.case and case.name not in options.case:
            continue
        result = case.run(bench)
        results.append(result)
        print(f"\n## {case.name}: {case.target}\n", flush=True)
        if result.rows:
            print("\n".join(record.details(result)))
        print(f"\nmeasured: {result.measured}: {'met' if result.met else 'NOT MET'}", flush=True)
    print("", *record.targets(results), "", record.conditions(bench), sep="\n")
    if not options.case:
        written = record.write(bench, results, readme=not options.peer)
        print(f"\nWritten: {written.relative_to(ours.ROOT)}")
    return 0


sys.exit(main())
