"""What the rows of the battery are made of: an application and the probe that judges it.

An application is served by every server alike, at /ITS_NAME. A probe talks to it over raw sockets
and says what the server made of it: nothing for a pass, or one of the verdicts below.
"""

import json
import os
import time

APPLICATIONS = {}
PROBES = []

# How long an application waits for its probe. Longer than any probe waits for a server.
GATE_DEADLINE = 40.0


class Fault(Exception):
    """The server breaks a MUST of PEP 3333 or of HTTP, or loses or invents a part of a response."""


class Weak(Exception):
    """The server breaks a SHOULD, or hides an error of the application that it should report."""


class Absent(Exception):
    """The server does not have the feature that the rule is about, and need not have it."""


class Probe:
    """One question to a server. `row` is a number of PEP 3333's rows, or E1 ... for environ."""

    def __init__(self, row, rule, ask):
        self.row, self.rule, self.ask, self.name = row, rule, ask, ask.__name__


def application(function):
    """Serves `function` at the path of its name."""
    APPLICATIONS[f"/{function.__name__}"] = function
    return function


def probe(row, rule):
    """Puts a function that judges into the battery; the rule is said in one phrase."""

    def add(function):
        PROBES.append(Probe(str(row), rule, function))
        return function

    return add


def need(condition, phrase):
    if not condition:
        raise Fault(phrase)


def prefer(condition, phrase):
    if not condition:
        raise Weak(phrase)


# What an application and its probe tell each other, past the server: lines in a file that the
# request names, and another file that opens a gate.


def note(environ, text):
    """Sends the probe a note, from inside the application."""
    note_to(notes_of(environ), text)


def notes_of(environ):
    return environ["HTTP_X_NOTES"]


def note_to(path, text):
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
    try:
        os.write(descriptor, json.dumps(text).encode() + b"\n")
    finally:
        os.close(descriptor)


def wait_for_gate(environ):
    """Holds the application until the probe opens the gate."""
    end = time.monotonic() + GATE_DEADLINE
    while not os.path.exists(f"{notes_of(environ)}.open") and time.monotonic() < end:
        time.sleep(0.01)
