"""The load, and what is seen of a server under it: answers, rate, latencies, CPU, memory."""

import contextlib
import dataclasses
import http.client
import os
import pathlib
import re
import statistics
import subprocess
import time

from ours import SCRATCH

UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}


class Wrong(Exception):
    """An answer that does not count: the sentence says why."""


@dataclasses.dataclass
class Request:
    """What is asked, and what must be answered: the body, or the length of it."""

    path: str = "/"
    expect: object = b""
    headers: dict = dataclasses.field(default_factory=dict)
    upload: int = 0

    def options(self):
        """For wrk."""
        words = [f"-H{name}: {value}" for name, value in self.headers.items()]
        if self.upload:
            script = SCRATCH / f"upload-{self.upload}.lua"
            script.write_text(f'wrk.method = "POST"\nwrk.body = string.rep("x", {self.upload})\n')
            words += ["-s", str(script)]
        return words


@dataclasses.dataclass
class Sample:
    """One round of one participant. Seconds, except for `cpu`: µs a request, and `rss`: MB.

    `closed` is the share of requests after which the server closed the connection.
    """

    cpu: float
    rate: float
    p50: float
    p99: float
    closed: float
    rss: float


def median(samples):
    """The sample in the middle, quantity by quantity."""
    columns = zip(*map(dataclasses.astuple, samples))
    return Sample(*map(statistics.median, columns))


def check(server, request):
    """The answer must be right before it counts how fast it came."""
    client = http.client.HTTPConnection(*server.address, timeout=30)
    method, body = ("POST", b"x" * request.upload) if request.upload else ("GET", None)
    try:
        client.request(method, request.path, body, request.headers)
        response = client.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException) as error:
        raise Wrong(f"{type(error).__name__}: {error}") from error
    finally:
        client.close()
    wanted = request.expect
    right = len(body) == wanted if isinstance(wanted, int) else body == wanted
    if response.status != 200 or not right:
        raise Wrong(f"it answers {response.status} with {len(body)} bytes, {body[:60]!r}")


def cpu_seconds(pids):
    """User and system time of all threads, in nanoseconds by the scheduler's own count."""
    total = 0
    for pid in pids:
        for file in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat"):
            with contextlib.suppress(OSError):
                total += int(file.read_text().split()[0])
    return total / 1e9


def memory(pid):
    """Resident, in MB."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+)", status)
    return int(found[1]) / 1024 if found else 0.0


def wrk_command(server, request, connections, seconds):
    host, port = server.address
    words = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", *request.options()]
    return [*words, f"http://{host}:{port}{request.path}"]


def start_wrk(server, request, connections, seconds, cores):
    return subprocess.Popen(
        wrk_command(server, request, connections, seconds),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
    )


def read_wrk(process, may_close=False):
    """(requests, requests a second, median latency, p99, share of connections closed)"""
    said = process.communicate()[0]
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", said)
    connect, read, write, timeout = map(int, errors.groups() if errors else (0, 0, 0, 0))
    # A response that ends with its connection is complete, and yet an error of reading to wrk.
    bad = connect + timeout + (0 if may_close else read + write)
    if process.returncode or "Non-2xx" in said or bad:
        raise Wrong(f"not every request was answered: {' '.join(said.split()[-14:])}")
    times = [
        float(number) * UNITS[unit]
        for number, unit in re.findall(r"^ *(?:50|99)% +([\d.]+)(us|ms|s|m) *$", said, re.M)
    ]
    requests = int(re.search(r"(\d+) requests in", said)[1])
    rate = float(re.search(r"Requests/sec: +([\d.]+)", said)[1])
    if not requests:
        raise Wrong("no request was answered")
    return requests, rate, *times, (read + write) / requests


def measure(server, request, connections, seconds, cores, may_close=False):
    """Runs wrk once, on `cores`; a Sample."""
    pids = server.pids()
    before = cpu_seconds(pids)
    requests, *rest = read_wrk(
        start_wrk(server, request, connections, seconds, cores), may_close
    )
    used = cpu_seconds(pids) - before
    check(server, request)
    return Sample(used / requests * 1e6, *rest, sum(memory(pid) for pid in server.pids()))


def probe(server, request, seconds, cores):
    """The latencies of one request at a time with pauses between, which load nothing; sorted."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    host, port = server.address
    client = http.client.HTTPConnection(host, port, timeout=30)
    found, until = [], time.monotonic() + seconds
    try:
        while time.monotonic() < until:
            begun = time.perf_counter()
            client.request("GET", request.path)
            response = client.getresponse()
            body = response.read()
            found.append(time.perf_counter() - begun)
            if response.status != 200 or body != request.expect:
                raise Wrong(f"{request.path}: {response.status} {body[:60]!r}")
            # A probe measures latency: it must not be a load of its own.
            time.sleep(0.001)
    finally:
        client.close()
        os.sched_setaffinity(0, before)
    return sorted(found)


def percentile(values, share):
    return values[min(len(values) - 1, int(len(values) * share))]
