#!/usr/bin/env python3
"""`make soak`: mixed load for MINUTES on a real nginx with two workers; is everything flat?

Each second it measures each worker: resident memory, open descriptors and threads, from /proc. Each
five seconds it also asks how many objects Python holds. nginx is reloaded now and then, so there
are several generations of workers. A generation is flat if, after its warm-up (its first third),
the median of its last third is not above that of its middle third by more than the tolerances
below. Descriptors and threads also depend on the requests of the moment, so the test compares
medians.

Writes benches/record/soak-DATE.md and .svg. Exit code 1: a curve is not flat, or a request failed.
"""

import argparse
import contextlib
import datetime
import os
import pathlib
import platform
import signal
import statistics
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
RECORD = ROOT / "benches" / "record"
sys.path[:0] = [str(ROOT / "tests" / "nginx"), str(ROOT / "benches")]

from chart import Chart  # noqa: E402
from endings import end_by_exception  # noqa: E402
from load import LOCATIONS, Load  # noqa: E402
from server import NGINX, Nginx  # noqa: E402

# A quantity, its unit, and how much it may grow: a share of its value, plus a number.
QUANTITIES = {
    "RSS": ("MB", 0.03, 2.0),
    "descriptors": ("", 0.0, 4.0),
    "threads": ("", 0.0, 0.0),
    "objects": ("", 0.01, 300.0),
}
HTTP = "wsgi_threads 4; wsgi_buffer_size 256k; wsgi_shutdown_timeout 5s;"


class Worker:
    """One process and its measurements: quantity -> [(second, value)]."""

    def __init__(self, pid, generation):
        self.pid, self.generation = pid, generation
        self.curves = {name: [] for name in QUANTITIES}

    def growth(self, name):
        """The medians of the middle third and of the last; None if the worker lived too briefly."""
        curve = self.curves[name]
        third = len(curve) // 3
        if third < 3:
            return None
        values = [value for _, value in curve]
        return statistics.median(values[third : 2 * third]), statistics.median(values[-third:])

    def is_flat(self, name):
        grown = self.growth(name)
        _, share, number = QUANTITIES[name]
        return grown is None or grown[1] <= grown[0] * (1 + share) + number


class Soak:
    def __init__(self, minutes, generations):
        self.seconds, self.generations = minutes * 60, generations
        self.workers, self.reloads = {}, []
        self.master_memory = []

    def run(self, server):
        self.begun = time.monotonic()
        self.server = server
        load = Load(server)
        load.start()
        try:
            for turn in range(1, int(self.seconds) + 1):
                self.sleep_until(turn)
                self.sample(turn)
                if len(self.reloads) + 1 < self.generations and turn >= self.next_reload():
                    server.send(signal.SIGHUP)
                    self.reloads.append(turn)
        finally:
            load.stop()
        self.done, self.failures = load.done, load.failures

    def next_reload(self):
        return self.seconds * (len(self.reloads) + 1) / self.generations

    def sleep_until(self, second):
        time.sleep(max(0, self.begun + second - time.monotonic()))

    def sample(self, second):
        self.master_memory.append(self.server.memory(self.server.process.pid) / 1e6)
        for pid in self.server.workers():
            worker = self.workers.setdefault(pid, Worker(pid, len(self.reloads)))
            if worker.generation < len(self.reloads):
                continue  # the worker is ending
            with contextlib.suppress(OSError):
                values = {
                    "RSS": self.server.memory(pid) / 1e6,
                    "descriptors": len(os.listdir(f"/proc/{pid}/fd")),
                    "threads": len(os.listdir(f"/proc/{pid}/task")),
                }
                for name, value in values.items():
                    worker.curves[name].append((second, value))
        if second % 5 == 0:
            self.sample_objects(second)

    def sample_objects(self, second):
        """Asks until each worker has answered: the kernel chooses which worker answers."""
        wanted = {p for p, w in self.workers.items() if w.generation == len(self.reloads)}
        for _ in range(30):
            if not wanted:
                return
            with contextlib.suppress(OSError, ValueError):
                pid, count = map(int, self.server.ask("/objects").text.split())
                if pid in wanted:
                    wanted.remove(pid)
                    self.workers[pid].curves["objects"].append((second, count))

    def judged(self):
        """The workers that lived long enough to be judged."""
        return [w for w in self.workers.values() if w.growth("RSS") is not None]

    def is_flat(self):
        return all(worker.is_flat(name) for worker in self.judged() for name in QUANTITIES)


def report(soak, alarms):
    """The record, in Markdown."""
    total = sum(soak.done.values())
    flat = "flat" if soak.is_flat() else "NOT FLAT"
    lines = [
        f"# Soak, {datetime.date.today()}: {flat}",
        "",
        f"`make soak MINUTES={soak.seconds / 60:g}`: {total} requests, {len(soak.failures)} failures,"
        f" {len(soak.reloads)} reloads, {len(alarms)} alarming lines in the error log.",
        f"Python {platform.python_version()}, {os.cpu_count()} cores, 2 workers, 4 threads each.",
        "",
        "Requests: " + ", ".join(f"{kind} {count}" for kind, count in sorted(soak.done.items())) + ".",
        "",
        "Medians of the middle third and of the last third of each worker's life:",
        "",
        "| worker | " + " | ".join(QUANTITIES) + " |",
        "|---" * (len(QUANTITIES) + 1) + "|",
    ]
    for worker in soak.judged():
        cells = []
        for name, (unit, _, _) in QUANTITIES.items():
            grown = worker.growth(name)
            shown = "too few" if grown is None else f"{grown[0]:.6g} → {grown[1]:.6g} {unit}".strip()
            cells.append(shown if worker.is_flat(name) else f"**{shown}**")
        lines.append(f"| generation {worker.generation + 1} | " + " | ".join(cells) + " |")
    tolerances = [f"{name} {share:.0%} + {n:g} {unit}".strip() for name, (unit, share, n) in QUANTITIES.items()]
    first, last = soak.master_memory[0], soak.master_memory[-1]
    lines += ["", "Growth that is accepted: " + ", ".join(tolerances) + "."]
    lines += [f"Memory of the master: {first:.1f} → {last:.1f} MB.", ""]
    lines += [f"* {failure}" for failure in soak.failures[:20]]
    lines += [f"* {line}" for line in alarms[:20]]
    return "\n".join(lines)


def picture(soak):
    chart = Chart(f"Soak, {datetime.date.today()}: by worker, over minutes", soak.seconds)
    for name, (unit, _, _) in QUANTITIES.items():
        curves = [worker.curves[name] for worker in soak.workers.values()]
        chart.panel(f"{name} {unit}".strip(), [curve for curve in curves if curve], soak.reloads)
    return chart.svg()


def main():
    end_by_exception()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--generations", type=int, default=3)
    options = parser.parse_args()
    os.nice(10)
    soak = Soak(options.minutes, options.generations)
    prefix = tempfile.mkdtemp(prefix="wsgi-soak-")
    os.chmod(prefix, 0o755)
    locations = LOCATIONS.replace("@SOAK@", str(pathlib.Path(__file__).parent))
    server = Nginx(prefix, locations, http=HTTP, workers=2)
    server.write("file", "0123456789\n" * 10000)
    print(f"make soak: {options.minutes:g} minutes with {NGINX}", flush=True)
    try:
        server.start()
        soak.run(server)
        server.stop()
        alarms = server.alarms()
    finally:
        server.finish()
    text = report(soak, alarms)
    name = f"soak-{datetime.date.today()}"
    RECORD.mkdir(parents=True, exist_ok=True)
    (RECORD / f"{name}.svg").write_text(picture(soak))
    (RECORD / f"{name}.md").write_text(f"{text}\n![the curves]({name}.svg)\n")
    print(text)
    return 0 if soak.is_flat() and not soak.failures and not alarms else 1


if __name__ == "__main__":
    sys.exit(main())
