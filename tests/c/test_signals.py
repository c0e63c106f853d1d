"""The signals of a host that has no handlers, and of a host that has handlers."""

import signal
import subprocess

import pytest
from conftest import HERE

CRASHES = [signal.SIGILL, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGSEGV]
PIPE = [signal.SIGPIPE, signal.SIGXFSZ]


@pytest.fixture
def signals(build):
    def run(*steps):
        command = [build("signals", "c"), *map(str, steps), str(HERE / "apps/signals.py")]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    return run


def shown(done):
    """Each signal that does not have its default, and its handler, at each `show`."""
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("not default:")]
    return [
        {signal.Signals(int(n)): how for n, how in (word.split("=") for word in line.split()[2:])}
        for line in lines
    ]


def test_the_library_sets_only_these_handlers(signals):
    before, after = shown(signals("show", "start", "load:hello", "run", "show"))
    assert before == {}
    assert after == {**dict.fromkeys(CRASHES, "taken"), **dict.fromkeys(PIPE, "ignored")}


def test_the_handlers_can_be_switched_off(signals):
    steps = ["keep-sigpipe", "no-crash-report", "start", "load:hello", "run", "show"]
    assert shown(signals(*steps)) == [{}]


def test_ctrl_c_ends_a_host_without_handlers(signals):
    done = signals("start", "load:hello", f"raise:{signal.SIGINT}", "show")
    assert (done.returncode, done.stdout) == (-signal.SIGINT, "")


@pytest.mark.parametrize("wait", [0, 1_000, 10_000, 20_000])
def test_ctrl_c_ends_the_host_while_python_starts(signals, wait):
    done = signals("start", f"wait:{wait}", f"raise:{signal.SIGINT}", "load:hello", "show")
    assert (done.returncode, done.stdout) == (-signal.SIGINT, "")


def test_an_import_after_ctrl_c_that_was_handled_does_not_fail(signals):
    number = int(signal.SIGINT)
    done = signals("start", f"handle:{number}", "load:hello", f"raise:{number}", "load:pipe", "run")
    assert "BrokenPipeError" in done.stdout and done.returncode == 0, done.stderr


def mask(*numbers):
    """A set of signals in the format of /proc."""
    return sum(1 << (number - 1) for number in numbers)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGPIPE, signal.SIGSEGV, signal.SIGTERM])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_handler_of_the_host_stays(signals, number, when):
    steps = [f"handle:{int(number)}", "start"]
    for wait in [0, 2_000, 5_000, 10_000, 20_000, 40_000] if when == "after" else [0]:
        first, second = reversed(steps) if when == "after" else steps
        (after,) = shown(signals(first, f"wait:{wait}", second, "load:hello", "run", "show"))
        assert after[number] == "mine"
        assert (number in CRASHES) or after[signal.SIGSEGV] == "taken"


def test_a_signal_that_the_host_ignores_stays_ignored(signals):
    (after,) = shown(signals(f"ignore:{int(signal.SIGINT)}", "start", "load:hello", "show"))
    assert after[signal.SIGINT] == "ignored"


def test_a_handler_for_one_crash_keeps_all_five(signals):
    steps = [f"handle:{int(signal.SIGFPE)}", "start", "load:hello", "show"]
    (after,) = shown(signals(*steps))
    assert [number for number in CRASHES if number in after] == [signal.SIGFPE]


@pytest.mark.parametrize(
    ("callable_", "said"),
    [("pipe", "BrokenPipeError"), ("communicate", "came back"), ("large_file", "File too large")],
)
def test_an_application_does_not_end_the_host(signals, callable_, said):
    done = signals("start", f"load:{callable_}", "run")
    assert done.stdout == f"{said}\nfinish 0\n" and done.returncode == 0


def test_an_application_ends_a_host_that_wants_the_default(signals):
    done = signals("keep-sigpipe", "start", "load:pipe", "run")
    assert done.returncode == -signal.SIGPIPE


def test_a_child_has_the_default_again(signals):
    ignored, finish = signals("start", "load:child", "run").stdout.splitlines()
    # The program that started the tests may ignore other signals.
    assert not int(ignored or "0", 16) & mask(signal.SIGPIPE, signal.SIGXFSZ)
    assert finish == "finish 0"


def test_a_crash_is_reported_on_descriptor_2_unless_switched_off(signals):
    told = signals("start", "load:hello", "run", f"raise:{int(signal.SIGSEGV)}")
    assert told.returncode == -signal.SIGSEGV and "WSGI0303 SIGSEGV" in told.stderr
    silent = signals("no-crash-report", "start", "load:hello", f"raise:{int(signal.SIGSEGV)}")
    assert (silent.returncode, silent.stderr) == (-signal.SIGSEGV, "")
