"""The fixtures: `nginx` starts servers for one test, `module_nginx` for all tests of a file.

`session_nginx` is for servers that start slowly, and for tests that do not change them.
"""

import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import runs  # noqa: E402
import validated  # noqa: E402
from gate import Gate  # noqa: E402
from server import Nginx  # noqa: E402


# A closed terminal, or `kill`, ends the tests as Ctrl-C does: with their servers and folders.
for number in (signal.SIGHUP, signal.SIGTERM):
    signal.signal(number, signal.default_int_handler)


def pytest_configure(config):
    runs.declare(config)


def pytest_runtest_setup(item):
    if reason := runs.objection(item) or validated.exemption(item.name):
        pytest.skip(reason)


class Factory:
    """Makes servers, and ends them all after the test."""

    def __init__(self):
        self.made = []

    def __call__(self, server="", **how):
        """A running nginx with `server` inside its server block."""
        return self.prepare(server, **how).start()

    def prepare(self, server="", files=(), **how):
        """The same, not started. `files` are (name, text) pairs to put into its folder."""
        prefix = tempfile.mkdtemp(prefix="wsgi-nginx-")
        os.chmod(prefix, 0o755)
        made = Nginx(prefix, server, **how)
        self.made.append(made)
        for name, text in files:
            made.write(name, text)
        return made

    def finish(self):
        failures = []
        for made in self.made:
            try:
                made.finish()
            except AssertionError as failure:
                failures.append(str(failure))
        if failures:
            pytest.fail("\n".join(failures), pytrace=False)


@pytest.fixture
def nginx():
    factory = Factory()
    yield factory
    factory.finish()


@pytest.fixture(scope="module")
def module_nginx():
    factory = Factory()
    yield factory
    factory.finish()


@pytest.fixture(scope="session")
def session_nginx():
    factory = Factory()
    yield factory
    factory.finish()


@pytest.fixture
def gate():
    """Makes gates. At the end of the test it opens those that are still shut."""
    folder = Path(tempfile.mkdtemp(prefix="wsgi-gate-"))
    os.chmod(folder, 0o777)
    gates = []

    def make():
        gates.append(Gate(folder / f"gate-{len(gates)}"))
        return gates[-1]

    yield make
    for made in gates:
        made.remove()
    shutil.rmtree(folder)
