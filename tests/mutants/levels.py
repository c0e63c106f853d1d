"""The levels of the tests, the cheapest first, and the verdict of each on a mutant."""

import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tree import TREE

CARGO = os.environ.get("CARGO", "cargo")
PYTEST = [str(TREE / "build/venv/bin/python"), "-m", "pytest", "-q", "-rfE"]
NO_TESTS = 5  # pytest's exit code
RUST_FAILED = re.compile(r"^test (\S+) (?:.*\.\.\. FAILED$|hangs)", re.M)
FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+\.py(?:::.+?)?)(?: - .*)?$", re.M)


@dataclass(frozen=True)
class Level:
    """Tests that are run together, within `limit` seconds."""

    name: str
    command: list
    limit: float
    variables: dict = field(default_factory=dict)

    @property
    def is_pytest(self):
        return self.command[0] == PYTEST[0]


UNIT = Level("unit", [CARGO, "test", "--locked", "--lib", "--tests"], 300)
MODEL = Level("model", [CARGO, "test", "--locked", "--package", "model"], 600)
C = Level("c", [*PYTEST, "tests/c"], 900)
NGINX = Level("nginx", [*PYTEST, "tests/nginx"], 1200)
INLINE = Level("inline", NGINX.command, 900, {"WSGI_TEST_INLINE": "1"})
VALIDATED = Level("validated", NGINX.command, 900, {"WSGI_TEST_VALIDATE": "1"})


def likely(file):
    """Those of the tests with nginx whose names have the noun of the file: they may save all others."""
    noun = Path(file).stem.split("_")[-1]
    return Level("nginx", [*NGINX.command, "-k", noun], NGINX.limit)


def levels_for(file):
    in_nginx = [likely(file), NGINX, INLINE, VALIDATED]
    if file.startswith("ngx_module/"):
        return in_nginx
    if file.startswith("src/pool/"):
        return [UNIT, MODEL, C, *in_nginx]
    return [UNIT, C, *in_nginx]


ALL = [UNIT, MODEL, C, NGINX, INLINE, VALIDATED]


def builds_for(level, file):
    """What has to be built before a level: (command, limit)."""
    library = [CARGO, "rustc", "--locked", "--quiet", "--release", "--lib"]
    library += ["--crate-type", "staticlib"]
    module = [str(TREE / "scripts/build-nginx-module")]
    if level in (UNIT, MODEL):
        return [([*level.command, "--no-run"], 900)]
    if level is C:
        return [(library, 900)]
    return [(module, 300)] if file.startswith("ngx_module/") else [(library, 900), (module, 300)]


def run(command, limit, environment):
    """Runs a command in a group of its own: its exit code, None if it was ended, and its output."""
    process = subprocess.Popen(
        command,
        cwd=TREE,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=limit)
        return process.returncode, output
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return None, process.communicate()[0]
    finally:
        end_group(process.pid)


def end_group(group):
    """Ends what a test has left running."""
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        pass


def failing(level, environment):
    """The tests of pytest that fail without a mutant."""
    code, output = run(level.command, level.limit, {**environment, **level.variables})
    failed = FAILED.findall(output)
    if code != 0 and not failed:
        sys.exit(f"make mutants: without a mutant {level.name} fails:\n{output}")
    return failed


def noticed(level, environment, failing_already):
    """What notices the mutant: the name of a test, or a sentence; None if the level passes.

    A test of pytest that fails is run again, by itself. One that passes then was disturbed by
    something else, so it does not count, and the level is run once more without it.
    """
    environment = {**environment, **level.variables}
    stop = ["-x"] if level.is_pytest else []
    unsteady = list(failing_already)
    for _ in range(3):
        without = [f"--deselect={test}" for test in unsteady]
        code, output = run([*level.command, *stop, *without], level.limit, environment)
        if code == 0 or level.is_pytest and code == NO_TESTS:
            return None
        if code is None:
            return f"its limit of {level.limit:.0f} s"
        if not level.is_pytest:
            failed = RUST_FAILED.findall(output)
            return failed[0] if failed else "a test program that ended early"
        failed = FAILED.findall(output)
        if not failed:
            return f"pytest, which ended with {code}"
        again, _ = run([*PYTEST, "-n", "0", failed[0]], level.limit, environment)
        if again != 0:
            return failed[0]
        unsteady.append(failed[0])
    return None
