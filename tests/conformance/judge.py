"""The battery against one server: every probe, and whether the server outlives it."""

import shutil
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import app  # noqa: F401 fills the battery
from battery import PROBES, Absent, Fault, Weak
from talk import Talk

PASS, WEAK, FAULT, ABSENT = "pass", "weak", "fault", "absent"
WORST = (FAULT, WEAK, PASS, ABSENT)


@dataclass
class Verdict:
    """What a server did with a probe; `wires` are the bytes that went each way.

    `by_waiting`: something was waited for in vain, which on a busy machine may say little.
    """

    probe: object
    kind: str
    phrase: str = ""
    wires: list = field(default_factory=list)
    by_waiting: bool = False


def row_order(row):
    return (not row.isdigit(), int(row.lstrip("E")))


def rows():
    return sorted({probe.row for probe in PROBES}, key=row_order)


def probes_of(row):
    return [probe for probe in PROBES if probe.row == row]


class Judge:
    """Asks probes of the server at `address`. The server may write to the folder of notes."""

    def __init__(self, address, patience, threads):
        self.address, self.patience, self.threads = address, patience, threads
        self.folder = Path(tempfile.mkdtemp(prefix="conformance-"))
        self.folder.chmod(0o777)
        self.count = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

    def talk(self):
        self.count += 1
        return Talk(self.address, self.folder / str(self.count), self.patience, self.threads)

    def judge(self, probe):
        talk = self.talk()
        kind, phrase, begun = PASS, "", time.monotonic()
        try:
            phrase = probe.ask(talk) or ""
        except Fault as fault:
            kind, phrase = FAULT, str(fault)
        except Weak as weak:
            kind, phrase = WEAK, str(weak)
        except Absent as absent:
            kind, phrase = ABSENT, str(absent)
        except OSError as error:
            kind, phrase = FAULT, f"the connection fails: {error}"
        finally:
            talk.finish()
        wires = [(wire.sent, wire.received) for wire in talk.wires]
        return Verdict(probe, kind, phrase, wires, time.monotonic() - begun >= self.patience)

    def is_alive(self):
        talk = self.talk()
        try:
            return talk.process() is not None
        finally:
            talk.finish()


def worst(verdicts):
    """The verdict of a row: the worst of its probes."""
    return min(verdicts, key=lambda verdict: WORST.index(verdict.kind))
