"""Builds the C programs of these tests, and those of examples/, in three ways.

WSGI_LIBRARY names libwsgi.a. WSGI_LINK has the other arguments for the linker. Both come from the
Makefile. CC and CXX are the compilers.
"""

import os
import pathlib
import shlex
import signal
import subprocess

import pytest

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent

WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]
SANITIZE = [
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=undefined",
    "-fno-omit-frame-pointer",
]

CC = shlex.split(os.environ.get("CC", "cc"))
CXX = shlex.split(os.environ.get("CXX", "c++"))

AS_C = [*CC, "-std=c11"]
AS_CXX = [*CXX, "-std=c++17", "-x", "c++"]

WAYS = {"c": AS_C, "c++": AS_CXX, "sanitized": AS_C + SANITIZE}

PROGRAMS = {
    "c_host": ["examples/c_host/c_host.c"],
    "httpd_host": [
        "examples/httpd_host/httpd_host.c",
        "examples/httpd_host/exchange.c",
        "examples/httpd_host/workers.c",
    ],
    "event_host": [
        "examples/event_host/event_host.c",
        "examples/event_host/client.c",
        "examples/event_host/http.c",
    ],
    "misuse": ["tests/c/misuse.c", "tests/c/misuse_requests.c"],
    "signals": ["tests/c/signals.c"],
    "blocking_host": ["tests/c/blocking_host.c"],
    "event_scenarios": [
        "tests/c/event_host.c",
        "tests/c/event_bodies.c",
        "tests/c/event_cancel.c",
        "tests/c/event_credit.c",
        "tests/c/event_ends.c",
        "tests/c/event_imports.c",
        "tests/c/event_wakeups.c",
    ],
}

# A shell that runs the tests in the background makes them ignore Ctrl-C, and so would their
# programs.
signal.signal(signal.SIGINT, signal.default_int_handler)


class Builder:
    """Compiles each program at most once in each way."""

    def __init__(self, folder):
        self.folder = folder
        self.built = {}

    def __call__(self, program, way):
        if (program, way) not in self.built:
            self.built[program, way] = self.build(program, way)
        return self.built[program, way]

    def build(self, program, way):
        library = os.environ.get("WSGI_LIBRARY", str(ROOT / "target/release/libwsgi.a"))
        assert os.path.exists(library), f"{library} is missing: run `make build`"
        assert "WSGI_LINK" in os.environ, "WSGI_LINK is not set: run `make test-c`"
        output = self.folder / f"{program}-{way}"
        sources = [str(ROOT / source) for source in PROGRAMS[program]]
        # `-x none`: the library is not a C++ source, in spite of an earlier -x.
        command = [*WAYS[way], *WARNINGS, "-g", f"-I{ROOT / 'include'}", "-o", str(output)]
        command += [*sources, "-x", "none", library, *shlex.split(os.environ["WSGI_LINK"])]
        command += ["-lmicrohttpd"] if program == "httpd_host" else []
        subprocess.run(command, check=True)
        return str(output)


@pytest.fixture(scope="session")
def build(tmp_path_factory):
    return Builder(tmp_path_factory.mktemp("programs"))


@pytest.fixture(params=WAYS)
def way(request):
    return request.param


@pytest.fixture
def environment():
    """The environment for the sanitizers: CPython keeps some of its memory to the end."""
    suppressions = HERE / "leaks-of-python.txt"
    options = f"suppressions={suppressions}:print_suppressions=0"
    return {**os.environ, "LSAN_OPTIONS": options, "UBSAN_OPTIONS": "print_stacktrace=1"}
