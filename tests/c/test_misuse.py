"""A wrong call from C gets the status that wsgi.h names, and the process goes on."""

import subprocess

from conftest import HERE


def checks(build, way, environment, *arguments):
    """Runs misuse.c, which prints a line for each call: `ok` or `not ok`, and a sentence."""
    command = [build("misuse", way), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    lines = done.stdout.splitlines()
    assert [line for line in lines if not line.startswith("ok ")] == [], done.stderr
    assert done.returncode == 0, done.stderr
    return lines


def test_misuse_by_a_host_that_drives_events(build, way, environment):
    assert len(checks(build, way, environment, "events", str(HERE / "apps/echo.py"))) > 60


def test_misuse_by_a_host_that_blocks(build, way, environment):
    assert len(checks(build, way, environment, "blocking", str(HERE / "apps/echo.py"))) > 3
