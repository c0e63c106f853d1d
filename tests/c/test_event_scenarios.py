"""The event-driven half, driven by a C program with poll(2) and an eventfd.

Each scenario is a function of one of the files event_*.c, in a process of its own; ENSURE in there is
what assert is here.
"""

import subprocess

import pytest
from conftest import HERE

SCENARIOS = """
    hello in_memory in_a_file pushed broken not_as_long_as_stated both_ways file_response file_response_without_send_file
    cancel_queued cancel_running cancel_watched_running cancel_answered cancel_without_credit
    credit_comes_back
    cancel_waiting_for_body cancel_done cancel_in_a_callback submit_in_a_callback start_returns_non_zero
    write_returns_non_zero detach_without_credit detach_in_a_callback cancel_after_detach
    a_last_block_waits_for_nothing small_blocks_count_what_they_cost a_list_of_small_blocks_is_joined
    credit_without_a_release paused_output
    failed truncated refused full_queue release_the_application
    two_applications one_at_a_time early_hints early_hints_return_non_zero stop_while_running
    wait_for_a_slow_import lost_wake_up own_descriptor own_descriptor_without_threads
""".split()


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario(build, way, environment, scenario):
    command = [build("event_scenarios", way), scenario, str(HERE / "apps")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stderr


def test_every_scenario_is_run(build):
    listed = subprocess.run([build("event_scenarios", "c")], capture_output=True, text=True, check=True)
    assert listed.stdout.split() == SCENARIOS
