"""A case: the servers that take part, the rounds in which they take turns, and the target."""

import contextlib
import dataclasses
import sys

import load
from ours import BENCHES, OurNginx

import peers

BASE, OURS = "nginx itself", "libwsgi"


@dataclasses.dataclass
class Row:
    """A participant, and what was measured of it; or why nothing was."""

    name: str
    samples: list = dataclasses.field(default_factory=list)
    failure: str = ""

    @property
    def median(self):
        return load.median(self.samples)


@dataclasses.dataclass
class Result:
    case: object
    rows: dict
    measured: str = ""
    met: object = None

    def has(self, *names):
        return all(name in self.rows and self.rows[name].samples for name in names)

    def cpu(self, name):
        return self.rows[name].median.cpu

    def rate(self, name):
        return self.rows[name].median.rate


@dataclasses.dataclass
class Participant:
    name: str
    server: object
    request: load.Request
    may_close: bool = False


def application(name, path=()):
    """`name` is a function of app.py, or a file of this folder with a framework in it."""
    if name.startswith("json_"):
        return peers.Application(BENCHES / f"{name}.py", "application", path)
    return peers.Application(BENCHES / "app.py", name)


class Case:
    """Everything is one worker on one core, under wrk on another.

    `base` is what nginx itself answers in our worker, {name: request}; `ours` are our servers: (name,
    threads, more configuration); `peers` says which others take part: "all", "threaded" or names.
    """

    connections = 32

    def __init__(self, name, callable_name, request, target, judge, base=(), ours=(), peers=()):
        self.name, self.callable_name, self.request = name, callable_name, request
        self.target, self.judge = target, judge
        self.base = {BASE: base} if isinstance(base, load.Request) else dict(base)
        self.ours = ours or [(OURS, 8, "")]
        self.peers = peers

    def participants(self, bench, stack):
        app = application(self.callable_name, bench.framework_path(self.callable_name))
        for name, threads, http in self.ours:
            server = OurNginx(app, http=http, threads=threads, core=bench.server_core)
            stack.enter_context(server)
            if name == self.ours[0][0]:
                for base, request in self.base.items():
                    yield Participant(base, server, request)
            yield Participant(name, server, self.request)
        for name, server_name, threads in bench.peers_for(self):
            app_of = {"application": app, "threads": threads, "core": bench.server_core}
            server = peers.SERVERS[server_name](**app_of)
            try:
                stack.enter_context(server)
            except peers.CannotStart as error:
                yield Row(name, failure=str(error).strip().splitlines()[-1])
                continue
            yield Participant(name, server, self.request, may_close=True)

    def run(self, bench):
        result = Result(self, {})
        with contextlib.ExitStack() as stack:
            running = []
            for participant in self.participants(bench, stack):
                if isinstance(participant, Row):
                    result.rows[participant.name] = participant
                else:
                    result.rows[participant.name] = Row(participant.name)
                    running.append(participant)
                    self.turn(bench, participant, result.rows[participant.name], warm_up=True)
            for _ in range(bench.rounds):
                for participant in running:
                    self.turn(bench, participant, result.rows[participant.name])
        if not result.has(*[name for name, _, _ in self.ours]):
            result.measured, result.met = "ours failed", False
        else:
            result.measured, result.met = self.judge(result)
        return result

    def turn(self, bench, participant, row, warm_up=False):
        """One round of one participant. One that fails takes no part in what follows."""
        if row.failure:
            return
        what = (participant.server, participant.request, self.connections)
        how = (1 if warm_up else bench.seconds, bench.load_cores, participant.may_close)
        try:
            load.check(participant.server, participant.request)
            sample = load.measure(*what, *how)
        except load.Wrong as error:
            row.failure, row.samples = str(error), []
            print(f"{self.name}: {row.name}: {error}", file=sys.stderr, flush=True)
            return
        if not warm_up:
            row.samples.append(sample)
