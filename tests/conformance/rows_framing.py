"""Rows 10 to 14 and 27: where a response ends, and what the client sees of it."""

from battery import Fault, application, need, prefer, probe
from wire import CUT, SILENT

TEXT = ("Content-Type", "text/plain")


def rest_after(talk, wire, extra):
    """What follows a response and is no response: after it, the next one must begin, or nothing."""
    wire.send(talk.bytes("alive", fields=[("Connection", "close")]))
    rest, _ = wire.read_rest()
    if not rest or rest.startswith(b"HTTP/1."):
        return b""
    need(b"HTTP/1." not in rest, f"sends {extra} into the next response")
    return rest


@application
def promises_more(environ, start_response):
    start_response("200 OK", [TEXT, ("Content-Length", "100")])
    return [b"01234", b"56789"] if environ["QUERY_STRING"] else [b"0123456789"]


@probe(10, "fewer bytes than Content-Length: the connection is closed")
def fewer_bytes_than_promised(talk):
    for target in ("promises_more", "promises_more?blocks"):
        wire = talk.connect()
        response = talk.ask(target, wire=wire)
        if response.is_error:
            continue
        if response.end == SILENT:
            wire.send(talk.bytes("alive"))
            need(not wire.wait_for(b"alive"), "sends its next response into the missing bytes")
            raise Fault("leaves the connection open; the client waits")
        need(response.end == CUT, f"answers {response}")


@application
def gives_more(environ, start_response):
    way = environ["QUERY_STRING"]
    write = start_response("200 OK", [TEXT, ("Content-Length", "5")])
    if way == "write":
        write(b"hello")
        write(b" world")
    return {"one": [b"hello world"], "write": []}.get(way, iter([b"hello", b" world"]))


@probe(11, "more bytes than Content-Length are not sent")
def more_bytes_than_promised(talk):
    for way in ("one", "blocks", "write"):
        wire = talk.connect()
        response = talk.ask(f"gives_more?{way}", wire=wire)
        if not response.is_error:
            need(response.body == b"hello", f"answers {response}")
            rest = rest_after(talk, wire, "the bytes beyond it")
            prefer(not rest, "sends the bytes beyond it, then closes")


@application
def fails_in_the_middle(environ, start_response):
    headers = [("Content-Length", "10")] if environ["QUERY_STRING"] else []
    start_response("200 OK", [TEXT, *headers])
    yield b"first"
    raise ValueError("after the first block")


def does_not_end_validly(talk, target):
    response = talk.ask(target)
    if not response.is_error:
        need(response.end != "complete", "ends the response as if it were whole")
        need(response.end == CUT, "leaves the connection open; the client waits")


@probe(12, "an error in the middle never ends in a valid terminator")
def an_error_in_the_middle(talk):
    does_not_end_validly(talk, "fails_in_the_middle")


@probe(12, "nor does it if the length was stated")
def an_error_before_the_promised_end(talk):
    does_not_end_validly(talk, "fails_in_the_middle?length")


@application
def has_a_body(environ, start_response):
    """The query is a status; a comma and a number after it: a Content-Length."""
    status, _, length = environ["QUERY_STRING"].partition(",")
    headers = [("Content-Length", length)] if length else []
    start_response(f"{status} Of The Application", [TEXT, ("X-Kept", "yes"), *headers])
    return [b"oops"]


@application
def late_body(environ, start_response):
    def body():
        start_response("404 Late", [TEXT, ("X-Kept", "yes")])
        yield b"oops"

    return body()


def no_body_after(talk, target, method="GET", status=200):
    wire = talk.connect()
    response = talk.ask(target, method=method, wire=wire)
    need(response.status == status, f"answers {response}")
    need(response.field("X-Kept"), "loses the application's headers")
    need(not rest_after(talk, wire, "the body"), "sends the body, then closes")
    return response


@probe(13, "HEAD: no body, the application's headers")
def head_has_no_body(talk):
    response = no_body_after(talk, "has_a_body?200,4", "HEAD")
    need(response.field("Content-Length") in (None, "4"), "changes Content-Length")
    prefer(response.field("Content-Length"), "leaves Content-Length out")


@probe(13, "HEAD: as late as a first block comes")
def head_of_a_late_start_response(talk):
    no_body_after(talk, "late_body", "HEAD", 404)


@probe(14, "204 and 304 have no body, 1xx is no final status")
def no_content(talk):
    for target in ("has_a_body?204", "has_a_body?204,4"):
        response = no_body_after(talk, target, status=204)
        for name in ("Content-Length", "Transfer-Encoding"):
            need(not response.all(name), f"sends {name} with 204")


@probe(14, "304 has no body")
def not_modified(talk):
    response = no_body_after(talk, "has_a_body?304", status=304)
    need(not response.all("Transfer-Encoding"), "sends Transfer-Encoding with 304")


@probe(14, "100 and 101 are not an application's last word")
def an_interim_status(talk):
    for status in (100, 101):
        wire = talk.connect()
        wire.send(talk.bytes(f"has_a_body?{status}"))
        try:
            response = wire.read_response()
        except Fault:
            sent = wire.received.startswith(b"HTTP/1.1 %d" % status)
            need(not sent, f"sends {status}, and no response after it")
            raise
        prefer(response.is_error, f"answers {response}")


@application
def one_block(environ, start_response):
    """The query: how the blocks come."""
    start_response("200 OK", [TEXT])
    ways = {"list": [b"hello"], "two": [b"he", b"llo"], "none": [], "empty": [b""]}
    return ways.get(environ["QUERY_STRING"]) or iter([b"hel", b"", b"lo"])


@probe(27, "a response without Content-Length is framed")
def the_length_is_worked_out(talk):
    framings = {}
    for way in ("list", "two", "iterator", "empty"):
        wire = talk.connect()
        response = talk.ask(f"one_block?{way}", wire=wire)
        need(response.body == (b"" if way == "empty" else b"hello"), f"answers {response}")
        need(response.end == "complete", f"leaves the response {response.end}")
        need(not rest_after(talk, wire, "more"), "sends more than the response")
        framings[way] = response.framing
    return f"a list of one block: {framings['list']}"


@probe(27, "HTTP/1.0 gets no chunks")
def http_1_0(talk):
    for fields in ([("Connection", "keep-alive")], []):
        for way in ("list", "iterator"):
            response = talk.ask(f"one_block?{way}", version="HTTP/1.0", fields=fields)
            need(response.framing != "chunked", "sends chunks to a client of HTTP/1.0")
            need(response.body == b"hello", f"answers {response}")
            need(response.end == "complete", f"leaves the response {response.end}")
