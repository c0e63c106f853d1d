"""The blocking half, in cases that go wrong. Each scenario is a function of blocking_host.c, in a
process of its own; ENSURE in there is what assert is here.
"""

import subprocess

import pytest
from conftest import HERE

SCENARIOS = """
    upload_breaks_off upload_breaks_off_and_is_caught upload_is_read_to_its_length
    cancel_in_a_callback cancel_from_another_thread cancel_waiting_for_an_import
    stop_ends_what_runs stop_gives_up stop_in_a_callback stop_while_an_import_is_waited_for
    run_in_a_callback
""".split()


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario(build, way, environment, scenario):
    command = [build("blocking_host", way), scenario, str(HERE / "apps/blocking.py")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stderr


def test_every_scenario_is_run(build):
    done = subprocess.run(
        [build("blocking_host", "c")], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == SCENARIOS
