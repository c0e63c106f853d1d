"""Cases about workers: how much memory one needs, and what a second one is worth."""

import os
import subprocess

import load
from case import BASE, OURS, Result, Row, application
from ours import HELLO, OurNginx, PlainNginx

from peers.install import PYTHON

FAST = load.Request(expect=HELLO)


def memory_of_worker(server):
    return load.memory(server.pids()[-1])


def memory_of_python():
    """Python as it waits at its prompt, nothing imported."""
    command = [PYTHON, "-I", "-c", "import sys; print(flush=True); sys.stdin.read()"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as process:
        process.stdout.readline()
        found = load.memory(process.pid)
        process.stdin.close()
    return found


class Memory:
    """Resident, after a few requests: hello_world with 8 threads, and with 64."""

    name, callable_name, peers = "memory", "hello_world", ()
    target = "RSS of a worker ≤ python3 + nginx's worker + 4 MB; ≤ 128 KB an idle thread"

    def run(self, bench):
        python = memory_of_python()
        with PlainNginx(application(self.callable_name)) as server:
            nginx = memory_of_worker(server)
        ours = {}
        for threads in (8, 64):
            with OurNginx(application(self.callable_name), threads=threads) as server:
                for _ in range(100):
                    load.check(server, FAST)
                ours[threads] = memory_of_worker(server)
        thread = (ours[64] - ours[8]) * 1024 / (64 - 8)
        measured = (
            f"{ours[8]:.1f} MB; python3 {python:.1f} + nginx {nginx:.1f} MB;"
            f" {thread:.0f} KB a thread"
        )
        return Result(self, {}, measured, ours[8] <= python + nginx + 4 and thread <= 128)


class TwoWorkers:
    """wrk needs a core too, so not throughput is compared but what the CPU gives: a second worker
    doubles it if a request costs each as much as it costs one that is alone. What `return 200` costs
    on the same servers shows how much of the rest is nginx's, the kernel's and the machine's."""

    name, callable_name, peers = "two-workers", "hello_world", ()
    target = "two workers on two cores ≥ 1.9 times one (twice the CPU of a request, one over two)"

    def run(self, bench):
        rows = {}
        everywhere = set(range(os.cpu_count()))
        app = application(self.callable_name)
        returned = load.Request("/return", HELLO)
        with OurNginx(app, core=bench.server_core) as one, OurNginx(app, workers=2) as two:
            for _ in range(bench.rounds):
                for workers, server, cores in (
                    ("one worker", one, bench.load_cores),
                    ("two workers", two, everywhere),
                ):
                    for name, request in ((OURS, FAST), (BASE, returned)):
                        row = rows.setdefault((name, workers), Row(f"{name}, {workers}"))
                        row.samples.append(
                            load.measure(server, request, 64, bench.seconds, cores)
                        )
        result = Result(self, rows)
        times, of_nginx = (
            2 * result.cpu((name, "one worker")) / result.cpu((name, "two workers"))
            for name in (OURS, BASE)
        )
        result.measured, result.met = f"{times:.2f}; nginx itself {of_nginx:.2f}", times >= 1.9
        return result
