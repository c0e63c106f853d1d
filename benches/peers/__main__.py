"""python -m peers [NAME ...]: installs servers, then starts and ends each once; says what runs."""

import argparse

from endings import end_by_exception

from . import SERVERS, Application, CannotStart, install, start, why_missing
from .install import LEFT_OUT, ROOT


def main():
    end_by_exception()
    parser = argparse.ArgumentParser(description=__doc__.partition(": ")[2])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(SERVERS))
    names = parser.parse_args().names or [name for name in SERVERS if name != "static"]
    unknown = set(names) - set(SERVERS)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    needed = {it for name in names for it in SERVERS[name].distributions}
    failed = install(sorted(needed))
    hello = Application(ROOT / "examples" / "nginx" / "app.py", "hello_world")
    for name in names:
        print(f"{name:16} {describe(name, hello, failed)}", flush=True)
    for name, reason in LEFT_OUT.items():
        print(f"{name:16} left out: {reason}")


def describe(name, application, failed):
    reasons = [failed[it] for it in SERVERS[name].distributions if it in failed]
    reason = reasons[0] if reasons else why_missing(name)
    if reason:
        return f"left out: {reason}"
    try:
        with start(name, application, threads=4) as server:
            return f"{server.version()}, {len(server.pids())} processes"
    except CannotStart as error:
        return f"left out: {str(error).strip().splitlines()[-1]}"


main()
