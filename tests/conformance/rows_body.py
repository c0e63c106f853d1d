"""Rows 8, 9, 23 to 26: the iterable, its blocks, its end."""

import time

from battery import Fault, application, need, note, prefer, probe, wait_for_gate

TEXT = ("Content-Type", "text/plain")
ENDLESS = 8


class Blocks:
    """An iterable that notes when it is closed. An exception among its blocks is raised."""

    def __init__(self, environ, *blocks):
        self.environ, self.blocks = environ, iter(blocks)

    def __iter__(self):
        return self

    def __next__(self):
        block = next(self.blocks)
        if isinstance(block, BaseException):
            raise block
        return block

    def close(self):
        note(self.environ, "closed")


@application
def closes(environ, start_response):
    start_response("200 OK", [TEXT])
    return Blocks(environ, b"one", b"two")


@application
def closes_after_an_error(environ, start_response):
    start_response("200 OK", [TEXT])
    return Blocks(environ, b"one", ValueError("in the middle"))


@application
def closes_before_anything(environ, start_response):
    start_response("200 OK", [TEXT])
    return Blocks(environ, ValueError("at once"))


@application
def closes_after_text(environ, start_response):
    start_response("200 OK", [TEXT])
    return Blocks(environ, "text")


def closed_once(talk, after):
    need(talk.wait_for_note("closed"), f"does not call it {after}")
    talk.process()
    need(talk.notes().count("closed") == 1, f"calls it more than once {after}")


@probe(8, "close() is called when the response is complete")
def close_at_the_end(talk):
    response = talk.ask("closes")
    need(response.body == b"onetwo", f"answers {response}")
    closed_once(talk, "at the end")


@probe(8, "close() is called after an error in the iteration")
def close_after_an_error(talk):
    talk.ask("closes_after_an_error")
    closed_once(talk, "after an error")
    talk.path.write_text("")
    talk.ask("closes_before_anything")
    closed_once(talk, "after an error in the first iteration")


@probe(8, "close() is called if a block is of a wrong type")
def close_after_a_wrong_block(talk):
    talk.ask("closes_after_text")
    closed_once(talk, "after a block of str")


@probe(8, "close() is called for HEAD")
def close_for_head(talk):
    talk.ask("closes", method="HEAD")
    closed_once(talk, "after HEAD")


@application
def goes_on(environ, start_response):
    start_response("200 OK", [TEXT])
    return Endless(environ)


class Endless(Blocks):
    """Blocks for as long as any probe may wait; then they end."""

    def __init__(self, environ):
        super().__init__(environ)
        self.end = time.monotonic() + ENDLESS

    def __next__(self):
        if time.monotonic() > self.end:
            raise StopIteration
        time.sleep(0.01)
        return b"x" * 8192


@probe(9, "close() is called when the client has left in the middle")
def close_after_the_client_left(talk):
    wire = talk.connect()
    wire.send(talk.bytes("goes_on"))
    need(wire.wait_for(b"xxxx"), "sends nothing")
    wire.close()
    need(talk.wait_for_note("closed", patience=talk.patience + ENDLESS), "does not call it")
    need(talk.process(), "answers nobody after that")


@application
def text_first(environ, start_response):
    start_response("200 OK", [TEXT])
    return ["text"]


@application
def text_in_the_middle(environ, start_response):
    start_response("200 OK", [TEXT])
    yield b"a"
    yield "b"
    yield b"c"


@application
def writes_text(environ, start_response):
    start_response("200 OK", [TEXT])("text")
    return [b", more"]


def judge_text(response, whole):
    if response.is_error or response.end == "cut":
        return
    need(response.end == "complete", f"leaves the client waiting: {response}")
    need(response.body == whole, f"loses it without an error: {response}")
    prefer(False, "takes str for bytes")


@probe(23, "a block of str is an error")
def a_block_of_str(talk):
    judge_text(talk.ask("text_first"), b"text")


@probe(23, "a block of str in the middle is an error")
def a_later_block_of_str(talk):
    judge_text(talk.ask("text_in_the_middle"), b"abc")


@probe(23, "str in write() is an error")
def str_in_write(talk):
    judge_text(talk.ask("writes_text"), b"text, more")


@application
def raw_bytes(environ, start_response):
    start_response("200 OK", [TEXT])
    return b"raw"


@probe(24, "bytes for the iterable, which yields numbers, is an error")
def bytes_for_the_iterable(talk):
    response = talk.ask("raw_bytes")
    if not response.is_error and response.end != "cut":
        need(response.body == b"raw", f"answers {response}")
        prefer(False, "takes it for one block")


@application
def never_starts(environ, start_response):
    return [b"body"] if environ["QUERY_STRING"] else []


@probe(25, "an application that never calls start_response is an error")
def start_response_never_called(talk):
    for target in ("never_starts?body", "never_starts"):
        response = talk.ask(target)
        need(response.is_error, f"answers {response}")


@application
def gated(environ, start_response):
    """first, and second once the gate is open; with a length if the query asks for it."""
    way = environ["QUERY_STRING"]
    headers = [TEXT, ("Content-Length", "11")] if way == "length" else [TEXT]
    write = start_response("200 OK", headers)

    def rest():
        if way != "write":
            yield b"first"
            wait_for_gate(environ)
        yield b"second"

    if way == "write":
        write(b"first")
        wait_for_gate(environ)
    return rest()


def not_delayed(talk, way):
    wire = talk.connect()
    wire.send(talk.bytes(f"gated?{way}"))
    came = wire.wait_for(b"first")
    talk.open_gate()
    if not came and wire.buffer.partition(b" ")[2][:1] in (b"4", b"5"):
        raise Fault(f"answers {wire.read_response()}")
    need(came, "holds the first block back until the application goes on")
    response = wire.read_response()
    need(response.body == b"firstsecond", f"answers {response}")


@probe(26, "a block is sent before the next is asked for")
def a_block_is_not_delayed(talk):
    not_delayed(talk, "chunked")


@probe(26, "also if the length is known")
def a_block_of_a_known_length_is_not_delayed(talk):
    not_delayed(talk, "length")


@probe(26, "also what is given to write()")
def a_written_block_is_not_delayed(talk):
    not_delayed(talk, "write")
