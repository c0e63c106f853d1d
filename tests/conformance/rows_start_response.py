"""Rows 1 to 7: start_response, when headers are sent, exc_info, write()."""

import sys
import weakref

from battery import application, need, note, note_to, notes_of, prefer, probe

TEXT = ("Content-Type", "text/plain")


@application
def late(environ, start_response):
    def body():
        start_response("404 Not Here", [TEXT, ("X-Late", "yes")])
        yield b"late"

    return body()


@probe(1, "start_response may be called by the first iteration")
def start_response_by_the_first_iteration(talk):
    response = talk.ask("late")
    need(response.status == 404, f"answers {response}, not 404")
    need(response.field("X-Late") == "yes", "loses the headers")
    need(response.body == b"late", f"answers {response}")


@application
def changes_its_mind(environ, start_response):
    def body():
        start_response("200 OK", [TEXT, ("X-Old", "yes")])
        yield b""
        try:
            raise ValueError("late enough")
        except ValueError:
            start_response("500 Changed", [TEXT, ("X-New", "yes")], sys.exc_info())
        yield b"changed"

    return body()


@probe(2, "headers are sent after the first block that is not empty")
def an_empty_block_sends_nothing(talk):
    response = talk.ask("changes_its_mind")
    need(response.status == 500, f"sends the headers with an empty block: {response}")
    need(not response.all("X-Old"), "sends the replaced headers too")
    need(response.field("X-New") == "yes", "loses the new headers")
    need(response.body == b"changed", f"answers {response}")


@application
def fails_after_nothing(environ, start_response):
    start_response("200 OK", [TEXT])
    yield b""
    raise ValueError("nothing was sent yet")


@probe(2, "an error after only empty blocks is an error page")
def an_error_after_an_empty_block(talk):
    response = talk.ask("fails_after_nothing")
    need(response.is_error, f"sends the headers with an empty block: {response}")


@application
def replaces(environ, start_response):
    start_response("200 OK", [TEXT, ("X-Old", "yes")])
    try:
        raise ValueError("replaced")
    except ValueError:
        start_response("500 Replaced", [TEXT, ("X-New", "yes")], sys.exc_info())
    return [b"replaced"]


@probe(3, "exc_info before the headers are sent replaces status and headers")
def exc_info_replaces(talk):
    response = talk.ask("replaces")
    need(response.status == 500, f"answers {response}")
    need(not response.all("X-Old"), "sends the old headers together with the new")
    need(response.field("X-New") == "yes", "loses the new headers")
    need(response.body == b"replaced", f"answers {response}")


@application
def too_late(environ, start_response):
    start_response("200 OK", [TEXT])
    yield b"first"
    error = ValueError("after the headers")
    try:
        raise error
    except ValueError:
        try:
            start_response("500 Too Late", [TEXT], sys.exc_info())
        except BaseException as raised:
            note(environ, "itself" if raised is error else type(raised).__name__)
            raise
    note(environ, "nothing")
    yield b"second"


@probe(4, "exc_info after the headers are sent is raised again")
def exc_info_too_late(talk):
    response = talk.ask("too_late")
    raised = talk.wait_for_note()
    need(raised is not None, "does not go on after the first block")
    need(raised != "nothing", f"raises nothing; the client gets {response}")
    need(b"second" not in response.body, f"goes on: {response}")
    prefer(raised == "itself", f"raises {raised} instead of the application's exception")


@application
def twice(environ, start_response):
    start_response("200 First", [TEXT])
    try:
        start_response("201 Second", [TEXT])
    except BaseException:
        note(environ, "raised")
        raise
    return [b"twice"]


@probe(5, "a second start_response without exc_info is an error")
def a_second_call(talk):
    response = talk.ask("twice")
    accepted = "raised" not in talk.notes() and not response.is_error
    need(not accepted, f"accepts it: {response}")
    prefer(response.is_error, f"raises, but answers {response}")


@application
def again_after_an_error(environ, start_response):
    try:
        start_response("200 OK", [("X-Bad", "one\r\ntwo")])
    except Exception:
        note(environ, "raised")
    start_response("200 Second", [TEXT])
    return [b"second"]


@probe(5, "also if the first call raised an error")
def a_second_call_after_an_error(talk):
    response = talk.ask("again_after_an_error")
    if "raised" in talk.notes():
        need(response.is_error, f"accepts it: {response}")
    else:
        # The first call went through, so this is a second one like any other.
        need(response.is_error, f"accepts it, and the first with a line break: {response}")


class Witness:
    """Lives as long as the frame whose variable it is."""


@application
def refers(environ, start_response):
    witness = Witness()
    weakref.finalize(witness, note_to, notes_of(environ), "gone")
    try:
        raise ValueError("has a traceback, which has this frame")
    except ValueError:
        start_response("500 Referred", [TEXT], sys.exc_info())
    return [b"refers"]


@probe(6, "no reference to exc_info is held")
def exc_info_is_let_go(talk):
    talk.ask("refers")
    prefer(talk.wait_for_note("gone"), "the application's frame is not freed")


@application
def writes(environ, start_response):
    write = start_response("200 OK", [TEXT])
    write(b"one,")
    write(b"two,")
    return [b"three"]


@probe(7, "write() sends, before what is iterated")
def write_before_the_iterable(talk):
    response = talk.ask("writes")
    need(response.body == b"one,two,three", f"answers {response}")
    need(response.status == 200, f"answers {response}")


@application
def only_writes(environ, start_response):
    start_response("200 OK", [TEXT])(b"written")
    return []


@probe(7, "write() and an empty iterable")
def write_alone(talk):
    response = talk.ask("only_writes")
    need(response.status == 200 and response.body == b"written", f"answers {response}")
