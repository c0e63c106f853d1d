#!/usr/bin/env python3
"""`make bench-instructions`: the number of instructions of a request, counted by callgrind.

Counts are the same on an idle machine and on a busy one, to about 0.3 %, so they show the cost of a
change even if times do not. They are of user space only, without the work of the kernel.

* library: a host in C (host.c) without sockets. Only the requests are counted.
* nginx: a whole nginx that answers one connection. Only the requests are counted, and the beginning
  and the end of the connection.

benches/record/instructions.txt has the accepted counts. A case that needs 3 % more is a failure.
"""

import argparse
import os
import pathlib
import platform
import re
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BENCHES = ROOT / "benches"
sys.path.append(str(BENCHES))

import callgrind  # noqa: E402
import worker  # noqa: E402
from endings import end_by_exception  # noqa: E402

RECORD = BENCHES / "record" / "instructions.txt"
FOLDER = ROOT / "build" / "instructions"
TOLERANCE = 0.03
MEGABYTE = 1 << 20
SHORT, LONG = pathlib.Path("/dev/null"), BENCHES / "headers.txt"

# Application of app.py, headers, number of clients, bytes of upload, bytes of the answer, requests.
# The cache from one request to the next helps with one client, and may cost more than it saves with
# several.
LIBRARY = [
    ("hello_world", SHORT, 1, 0, 13, 1000),
    ("hello_world", SHORT, 8, 0, 13, 1000),
    ("from_environ", LONG, 1, 0, 1024, 1000),
    ("from_environ", LONG, 8, 0, 1024, 1000),
    ("one_block", SHORT, 1, 0, MEGABYTE, 1000),
    ("blocks", SHORT, 1, 0, MEGABYTE, 400),
    ("upload", SHORT, 1, MEGABYTE, 14, 50),
]
WAYS = [("inline", 0), ("1 thread", 1)]


def compile_all():
    """Compiles the C files of this folder: the host, and the objects that are preloaded."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    here = pathlib.Path(__file__).parent
    compiler = shlex.split(os.environ.get("CC", "cc"))
    compiler += "-std=gnu11 -O2 -g -Wall -Wextra -Wpedantic -Werror".split()
    host = ["-I", ROOT / "include", "-o", FOLDER / "host", here / "host.c"]
    subprocess.run([*compiler, *host, *shlex.split(os.environ["WSGI_LINK"])], check=True)
    for name in ("seed", "count"):
        preloaded = ["-shared", "-fPIC", "-o", FOLDER / f"{name}.so", here / f"{name}.c"]
        subprocess.run([*compiler, *preloaded], check=True)


def count_library(name, case, threads):
    callable_name, headers, clients, upload, size, requests = case
    output = FOLDER / f"{name}.callgrind"
    arguments = [callable_name, threads, requests, headers, clients, upload, size]
    program = [FOLDER / "host", BENCHES / "app.py", *arguments]
    command = [*callgrind.command(output, "--instr-atstart=no"), *program]
    environment = callgrind.environment(FOLDER / "seed.so")
    subprocess.run([str(word) for word in command], env=environment, check=True)
    groups = callgrind.by_group(callgrind.instructions(output))
    return {group: count / requests for group, count in groups.items()}


def cases():
    """{name: the function that counts it}"""
    found = {}
    for case in LIBRARY:
        for way, threads in WAYS:
            clients = f", {case[2]} clients" if case[2] > 1 else ""
            name = f"library, {case[0]}{clients}, {way}"
            found[name] = lambda name=name, case=case, threads=threads: count_library(
                name, case, threads
            )
    for name, location in worker.LOCATIONS.items():
        name = f"nginx, {name}"
        found[name] = lambda name=name, location=location: worker.count(FOLDER, name, location)
    return found


def first_line(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    return (done.stdout + done.stderr).splitlines()[0].strip()


def versions():
    """The versions of everything that the counts depend on, except this repository."""
    rustc = pathlib.Path(os.environ["CARGO"]).with_name("rustc")
    found = {
        "Python": first_line(os.environ["PYTHON"], "--version").split()[-1],
        "rustc": first_line(rustc if rustc.exists() else "rustc", "--version").split()[1],
        "nginx": first_line(worker.NGINX, "-v").rpartition("/")[2],
        "cc": first_line(*shlex.split(os.environ.get("CC", "cc")), "-dumpfullversion"),
        "libc": platform.libc_ver()[1],
        "machine": platform.machine(),
    }
    return " ".join(f"{name} {version}" for name, version in found.items())


class Record:
    """benches/record/instructions.txt: a line of versions, then a case and its count on each line."""

    def __init__(self):
        self.versions, self.counts = None, {}
        if RECORD.exists():
            for line in RECORD.read_text().splitlines():
                found = re.match(r"(\S.*?) {2,}(\d+)$", line)
                if found:
                    self.counts[found[1]] = int(found[2])
                elif line.startswith("# Python "):
                    self.versions = line[2:]

    def write(self, known):
        width = max(map(len, known)) + 2
        lines = [
            "# Instructions a request, in user space. `make bench-instructions` compares with this and,",
            "# with ACCEPT=1, writes it.",
            f"# {self.versions}",
        ]
        lines += [f"{name:{width}}{self.counts[name]}" for name in known if name in self.counts]
        RECORD.write_text("\n".join(lines) + "\n")


def show(name, groups, before):
    total = round(sum(groups.values()))
    change = f"{total / before - 1:+8.1%}" if before else "     new"
    order = sorted(groups.items(), key=lambda item: -item[1])
    split = ", ".join(f"{group} {count:.0f}" for group, count in order if count >= total / 200)
    print(f"{name:42}{total:>10}{change}  {split}", flush=True)
    return total


def judge(record, counted, there):
    """Prints the cases that need too many instructions. Returns 1 if there are any."""
    if record.versions != there:
        print(f"\nNot compared: the record is of {record.versions},\nand this is {there}.")
        print("`make bench-instructions ACCEPT=1` records these counts.")
        return 0
    worse = [
        name
        for name, count in counted.items()
        if name in record.counts and count > record.counts[name] * (1 + TOLERANCE)
    ]
    if not worse:
        return 0
    print(f"\nMore than {TOLERANCE:.0%} over benches/record/instructions.txt: {'; '.join(worse)}.")
    print("If that is what the change is worth, `make bench-instructions ACCEPT=1` records it.")
    return 1


def main():
    end_by_exception()
    parser = argparse.ArgumentParser(description=__doc__.partition(": ")[2].splitlines()[0])
    parser.add_argument("--case", default="", help="only cases with this in their names")
    parser.add_argument("--accept", action="store_true", help="write the record")
    options = parser.parse_args()
    known, record, there = cases(), Record(), versions()
    chosen = [name for name in known if options.case in name]
    if not chosen:
        parser.error(f"no case has {options.case!r} in its name: {'; '.join(known)}")
    compile_all()
    counted = {}
    for name in chosen:
        before = record.counts.get(name) if record.versions == there else None
        counted[name] = show(name, known[name](), before)
    if not options.accept:
        return judge(record, counted, there)
    if record.versions != there:
        record.counts = {}
    record.versions = there
    record.counts.update(counted)
    record.write(known)
    return 0


sys.exit(main())
