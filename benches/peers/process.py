"""A server that runs: its folder, its address, its processes, and how it is ended."""

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from endings import end_with_parent

from .install import folder_of, is_installed, version_of

START_DEADLINE = 60.0
STOP_DEADLINE = 10.0


class CannotStart(Exception):
    """The server ended, or did not answer in time; the text has its log."""


class Application:
    """A Python file and the name in it. `path` are folders with other modules that it imports."""

    def __init__(self, file, callable_name="application", path=()):
        self.file, self.callable_name = pathlib.Path(file).resolve(), callable_name
        self.path = [str(self.file.parent), *map(str, path)]

    @property
    def name(self):
        """As most servers want it: module:attribute."""
        return f"{self.file.stem}:{self.callable_name}"


class Server:
    """One server with one worker. A subclass says what to run; this class runs and ends it.

    `address` is a (host, port) or the path of a unix socket. `core`: the CPU to stay on. `options`:
    more words for the command line, of servers that have one.
    """

    name = title = ""
    distributions = ()  # of PyPI, what the server is or needs
    programs = ()  # of the system
    unix_sockets = True
    threaded = True  # whether it has threads for applications
    graceful = signal.SIGTERM

    def __init__(self, application=None, threads=8, port=None, unix=None, core=None, options=()):
        if unix and not self.unix_sockets:
            raise ValueError(f"{self.name} does not listen on unix sockets")
        self.application, self.threads, self.core = application, threads, core
        self.options = list(options)
        self.port, self.unix = None if unix else port or free_port(), unix
        self.running = []

    # What a subclass says.

    def commands(self):
        """The command lines to run, the one that clients reach last."""
        raise NotImplementedError

    def write_files(self):
        """Writes configuration into self.folder, before the commands run."""

    @classmethod
    def version(cls):
        return ", ".join(f"{name} {version_of(name)}" for name in cls.distributions)

    @classmethod
    def why_missing(cls):
        """What is not installed that this server needs, or None."""
        for distribution in cls.distributions:
            if not is_installed(distribution):
                return f"{distribution} is not installed"
        for program in cls.programs:
            if not pathlib.Path(program).exists():
                return f"there is no {program}"
        return None

    # What this class does.

    @property
    def address(self):
        return str(self.unix) if self.unix else ("127.0.0.1", self.port)

    @property
    def bind(self):
        """The address as most command lines want it."""
        return f"unix:{self.unix}" if self.unix else f"127.0.0.1:{self.port}"

    def environment(self):
        path = [*map(str, map(folder_of, self.distributions))]
        path += self.application.path if self.application else []
        return {**os.environ, "PYTHONPATH": os.pathsep.join(path), "PYTHONUNBUFFERED": "1"}

    def start(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"peers-{self.name}-"))
        self.folder.chmod(0o777)
        try:
            self.write_files()
            for command in self.commands():
                self._launch(command)
            self._wait()
        except BaseException:
            self.stop()
            raise
        return self

    def _launch(self, command):
        with (self.folder / "output").open("ab") as output:
            process = subprocess.Popen(
                [str(word) for word in command],
                cwd=self.folder,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=self._in_the_child,
            )
        self.running.append(process)

    def _in_the_child(self):
        end_with_parent()
        if self.core is not None:
            os.sched_setaffinity(0, {self.core})

    def _wait(self):
        """Waits until the application answers; a server without one answers with an error."""
        deadline = time.monotonic() + START_DEADLINE
        while not self.answers():
            ended = [process.args[0] for process in self.running if process.poll() is not None]
            if ended or time.monotonic() > deadline:
                what = f"{ended[0]} ended" if ended else "no answer in time"
                raise CannotStart(f"{self.name}: {what}\n{self.log()[-4000:]}")
            # Not every server reports that it is ready, so the request is tried again.
            time.sleep(0.05)

    def answers(self, timeout=5.0):
        """Whether a request to / is answered, and by no error of the server."""
        with contextlib.suppress(OSError), self.connect(timeout) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            head = b""
            while len(head) < 12 and (data := client.recv(4096)):
                head += data
            return head[:7] == b"HTTP/1." and head[9:10] in b"234"
        return False

    def connect(self, timeout=5.0):
        client = socket.socket(socket.AF_UNIX if self.unix else socket.AF_INET)
        client.settimeout(timeout)
        try:
            client.connect(self.address)
        except OSError:
            client.close()
            raise
        return client

    def pids(self):
        """Every process of the server, parents before children."""
        found = [process.pid for process in self.running if process.poll() is None]
        for pid in found:
            found += children(pid)
        return found

    def is_running(self):
        return bool(self.running) and all(process.poll() is None for process in self.running)

    def log(self):
        """What the server has written, to its output and to logs in its folder."""
        files = [self.folder / "output", *sorted(self.folder.glob("*.log"))]
        return "".join(file.read_text(errors="replace") for file in files if file.exists())

    def stop(self):
        """Ends the server: politely, and what is left after that is killed, by process id."""
        everyone = self.pids()
        for process in reversed(self.running):
            if process.poll() is None:
                process.send_signal(self.graceful)
        deadline = time.monotonic() + STOP_DEADLINE
        for process in self.running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(deadline - time.monotonic(), 0.1))
        for pid in everyone:
            if is_ours(pid, self.running):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        for process in self.running:
            process.wait()
        self.running = []
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def children(pid):
    found = []
    for file in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += map(int, file.read_text().split())
    return found


def is_ours(pid, processes):
    """Whether a process id still belongs to one of the sessions that were started here."""
    try:
        return os.getsid(pid) in [process.pid for process in processes]
    except ProcessLookupError:
        return False
