"""Rows 35 and 36: what an application raises, and whether the server lives on."""

from battery import application, need, prefer, probe
from rows_body import Blocks
from wire import Closed, Silent

TEXT = ("Content-Type", "text/plain")


@application
def ends(environ, start_response):
    """Raises what is named in the query, at once or in the iteration."""
    way, _, name = environ["QUERY_STRING"].partition(",")
    error = {"SystemExit": SystemExit(3), "KeyboardInterrupt": KeyboardInterrupt()}.get(
        name, Unforeseen(name)
    )
    if way == "call":
        raise error
    start_response("200 OK", [TEXT])
    return Blocks(environ, error)


class Unforeseen(BaseException):
    """No Exception, which is what careless servers look for."""


def survives(talk, name):
    for way in ("call", "iteration"):
        before = talk.process()
        answer, said = None, ""
        try:
            answer = talk.ask(f"ends?{way},{name}")
        except (Closed, Silent) as nothing:
            said = str(nothing)
        after = talk.process()
        need(after, "the whole server ends")
        ended = "" if after == before else ", and the process ends"
        need(answer, f"{said}{ended}")
        need(answer.is_error, f"answers {answer}{ended}")
        prefer(after == before, "the process ends, another takes its place")


@probe(35, "SystemExit of an application does not end the server")
def system_exit(talk):
    survives(talk, "SystemExit")


@probe(36, "nor does KeyboardInterrupt")
def keyboard_interrupt(talk):
    survives(talk, "KeyboardInterrupt")


@probe(36, "nor does any other BaseException")
def base_exception(talk):
    survives(talk, "BaseException")


@application
def fails_in_close(environ, start_response):
    start_response("200 OK", [TEXT, ("Content-Length", "5")])
    return ClosesBadly(environ, b"hello")


class ClosesBadly(Blocks):
    """Its close() raises."""

    def close(self):
        super().close()
        raise ValueError("in close()")


@probe(36, "nor an exception in close()")
def exception_in_close(talk):
    before = talk.process()
    response = talk.ask("fails_in_close")
    need(response.body == b"hello" and response.end == "complete", f"answers {response}")
    after = talk.process()
    need(after, "the server ends")
    prefer(after == before, "the process ends, another takes its place")
