"""Runs a program under callgrind, and reads which code executed the instructions."""

import collections
import os
import pathlib
import re

NAME = re.compile(r"(?:ob|fl|fi|fe|fn|cob|cfl|cfi|cfn)=")


def command(output, *options):
    """The words before the command of the program."""
    words = "valgrind -q --tool=callgrind --fair-sched=yes --separate-threads=no".split()
    return [*words, f"--callgrind-out-file={output}", *options]


def environment(*preloaded):
    """`preloaded`: the shared objects of seed.c and count.c, or only the first.

    There is one malloc arena. With one for each thread, the cost of a malloc would depend on which
    thread comes first.
    """
    return {**os.environ, "LD_PRELOAD": " ".join(map(str, preloaded)), "MALLOC_ARENA_MAX": "1"}


class Reader:
    """Reads the format of Valgrind's manual, "Callgrind Format Specification"."""

    def __init__(self):
        self.names = {"ob": {}, "fl": {}}
        self.place = {"ob": "", "fl": ""}
        self.cost = collections.Counter()

    def read(self, path):
        is_call = False
        for line in pathlib.Path(path).read_text(errors="replace").splitlines():
            if NAME.match(line):
                self.name(*line.split("=", 1))
            elif line.startswith("calls="):
                is_call = True
            elif line[:1] in "+-*0123456789" and line:
                # The line after `calls=` has the cost of the function that was called.
                if not is_call:
                    self.cost[self.place["ob"], self.place["fl"]] += int(line.split()[1])
                is_call = False
        return self.cost

    def name(self, key, value):
        """Names are written once, "(3) name", and are "(3)" after that."""
        kind = {"ob": "ob", "cob": "ob", "fn": None, "cfn": None}.get(key, "fl")
        if kind:
            number, _, name = value.partition(" ")
            name = self.names[kind].setdefault(number, name)
            if not key.startswith("c"):
                self.place[kind] = name


def instructions(path):
    """{(object file, source file): instructions executed in it}

    Inlined code counts in its own file.
    """
    return Reader().read(path)


LAYER = re.compile(r"(?:^|/)(src/(?:abi|runtime|wsgi|host|pool|python))[/.]")
LIBC = ("libc.", "libm.", "ld-linux", "libgcc", "libpthread")


def group(place):
    """The owner of the code: another library, nginx, the module, a crate, or a layer of src."""
    binary, source = place
    binary = pathlib.Path(binary).name
    if binary.startswith(LIBC):
        return "libc"
    if binary.startswith("lib") or binary == "nginx":
        return binary.partition(".")[0]
    if "/ngx_http_wsgi_" in source:
        return "ngx_module"
    if "/pyo3" in source:
        return "pyo3"
    if "/registry/" in source or "/library/" in source or source.startswith("library/"):
        return "std and crates"
    layer = LAYER.search(source)
    return layer[1] if layer else "other"


def by_group(cost):
    groups = collections.Counter()
    for place, count in cost.items():
        groups[group(place)] += count
    return groups
