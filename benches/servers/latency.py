"""Cases about waiting: fast requests and slow ones in the same worker."""

import os

import load
from case import Result, Row, application
from ours import HELLO, OurNginx

FAST = load.Request(expect=HELLO)
FILE = load.Request("/files/13", HELLO)


def milliseconds(seconds):
    return f"{seconds * 1e3:.2f} ms"


class Sleepers:
    """20 connections with fast requests and 12 that sleep: about every tenth request sleeps.

    Two loads, since wrk tells one p99 for all that it does.
    """

    name, callable_name, peers = "sleepers", "hello_world", ()
    target = "about 10 % sleep 5 ms, 16 threads: p99 of the fast ≤ 3 times that without"
    fast, slow = 20, 12

    def run(self, bench):
        alone, mixed = Row("the fast alone"), Row("the fast with sleepers")
        share = []
        app = application(self.callable_name)
        with OurNginx(app, threads=16, core=bench.server_core) as server:
            for _ in range(bench.rounds):
                alone.samples.append(
                    load.measure(server, FAST, self.fast, bench.seconds, bench.load_cores)
                )
                share.append(self.mixed(bench, server, mixed))
        factor = mixed.median.p99 / alone.median.p99
        measured = (
            f"{milliseconds(alone.median.p99)} → {milliseconds(mixed.median.p99)},"
            f" {factor:.1f} times; {sorted(share)[len(share) // 2]:.0%} slept"
        )
        return Result(self, {row.name: row for row in (alone, mixed)}, measured, factor <= 3)

    def mixed(self, bench, server, row):
        """One round of both; which share of the requests slept."""
        slow = load.Request("/sleep_5ms", HELLO)
        load.check(server, slow)
        sleeping = load.start_wrk(server, slow, self.slow, bench.seconds, bench.load_cores)
        row.samples.append(
            load.measure(server, FAST, self.fast, bench.seconds, bench.load_cores)
        )
        _, rate, *_ = load.read_wrk(sleeping)
        return rate / (rate + row.samples[-1].rate)


class Busy:
    """One connection whose requests compute for 200 ms each, and probes that come one at a time.

    The server is on all cores: what is asked is whether the GIL is in the way, not what the
    scheduler does with two threads on one core.
    """

    name, callable_name, peers = "busy", "hello_world", ()
    target = "200 ms of computing: p99 of files unchanged (+ 1 ms), of fast ones ≤ 3 × 5 ms"

    def run(self, bench):
        found = {}
        cores = set(range(os.cpu_count()))
        with OurNginx(application(self.callable_name), threads=8) as server:
            for what, request in (("files", FILE), ("fast ones", FAST)):
                load.check(server, request)
                found[what, "alone"] = self.probes(bench, server, request, None)
                found[what, "mixed"] = self.probes(bench, server, request, cores)
        p99 = {key: load.percentile(values, 0.99) for key, values in found.items()}
        measured = "; ".join(
            f"{what} {milliseconds(p99[what, 'alone'])} → {milliseconds(p99[what, 'mixed'])}"
            for what in ("files", "fast ones")
        )
        met = p99["files", "mixed"] <= p99["files", "alone"] + 0.001
        return Result(self, {}, measured, met and p99["fast ones", "mixed"] <= 0.015)

    def probes(self, bench, server, request, cores):
        """All rounds together. With `cores`, an application computes on these meanwhile."""
        seconds = bench.seconds * bench.rounds
        if cores is None:
            return load.probe(server, request, seconds, bench.load_cores)
        busy = load.Request("/busy_200ms", HELLO)
        load.check(server, busy)
        computing = load.start_wrk(server, busy, 1, seconds + 1, cores)
        found = load.probe(server, request, seconds, bench.load_cores)
        load.read_wrk(computing)
        return found
