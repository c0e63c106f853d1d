"""Rows 28 to 34: wsgi.errors and wsgi.input."""

import json

from battery import application, need, note, prefer, probe

TEXT = ("Content-Type", "text/plain")


@application
def writes_errors(environ, start_response):
    errors = environ["wsgi.errors"]
    errors.write("conformance: one, é, ☃\n")
    errors.writelines(["conformance: two,", " three\n"])
    print("conformance: four", file=errors)
    errors.flush()
    start_response("200 OK", [TEXT])
    return [b"written"]


@probe(28, "wsgi.errors takes any text")
def text_in_wsgi_errors(talk):
    response = talk.ask("writes_errors")
    need(response.status == 200, f"raises: the client gets {response}")


@application
def reads(environ, start_response):
    """Calls methods of wsgi.input, as the query says: `read:5;readline;iterate`."""
    results = []
    for call in environ["QUERY_STRING"].split(";"):
        name, _, size = call.partition(":")
        arguments = [int(size)] if size else []
        try:
            if name == "iterate":
                result = list(environ["wsgi.input"])
            else:
                result = getattr(environ["wsgi.input"], name)(*arguments)
            result = [b.decode() for b in result] if isinstance(result, list) else result.decode()
        except Exception as error:
            result = {"raised": type(error).__name__}
        results.append(result)
    body = json.dumps(results).encode()
    start_response("200 OK", [TEXT, ("Content-Length", str(len(body)))])
    return [body]


def shown(result):
    return f"raises {result['raised']}" if isinstance(result, dict) else f"gives {result!r}"


def expect(talk, body, *calls):
    """Each call is what `reads` takes, and what it must give."""
    query = ";".join(call for call, _ in calls)
    results = talk.json(f"reads?{query}", method="POST", body=body)
    for (call, wanted), result in zip(calls, results):
        name, _, size = call.partition(":")
        need(result == wanted, f"{name}({size}) {shown(result)}, not {wanted!r}")


@probe(29, "read(n), to the end and beyond")
def read_with_a_size(talk):
    beyond = ("read:100", " world")
    expect(talk, b"hello world", ("read:5", "hello"), ("read:0", ""), beyond, ("read:9", ""))


@probe(29, "read() without a size")
def read_all(talk):
    expect(talk, b"hello world", ("read:2", "he"), ("read", "llo world"), ("read", ""))


@probe(29, "read(-1) is read()")
def read_with_a_negative_size(talk):
    expect(talk, b"hello", ("read:-1", "hello"), ("read:-1", ""))


@probe(29, "a request without a body is at its end")
def read_of_nothing(talk):
    expect(talk, None, ("read", ""), ("read:5", ""), ("readline", ""), ("iterate", []))


@probe(30, "readline()")
def readline(talk):
    first, end = ("readline", "one\n"), ("readline", "")
    expect(talk, b"one\ntwo\nthree", first, ("readline", "two\n"), ("readline", "three"), end)
    expect(talk, b"one\n\ntwo\n", first, ("readline", "\n"), ("readline", "two\n"), end)


@probe(30, "readline(size)")
def readline_with_a_size(talk):
    calls = ["readline:2", "readline:50", "readline:2"]
    results = talk.json("reads?" + ";".join(calls), method="POST", body=b"one\ntwo")
    if results == ["one\n", "two", ""]:
        prefer(False, "ignores the size")
    need(results == ["on", "e\n", "tw"], f"gives {results}, not ['on', 'e\\n', 'tw']")


@probe(31, "readlines() and readlines(hint)")
def readlines(talk):
    expect(talk, b"one\ntwo", ("readlines", ["one\n", "two"]), ("readlines", []), ("read", ""))
    body, lines = b"one\ntwo\nthree\n", ["one\n", "two\n", "three\n"]
    first, rest = talk.json("reads?readlines:5;readlines", method="POST", body=body)
    need(isinstance(first, list), f"readlines(5) {shown(first)}")
    need(first + rest == lines, f"readlines(5) gives {first}, and then {rest}")
    need(len(first) >= 2, f"readlines(5) gives only {first}")


@probe(31, "iteration gives lines")
def iteration(talk):
    expect(talk, b"one\ntwo\nthree", ("iterate", ["one\n", "two\n", "three"]))


KEPT = []


@application
def keeps_input(environ, start_response):
    KEPT.append(environ["wsgi.input"])
    start_response("200 OK", [TEXT, ("Content-Length", "4")])
    return [b"kept"]


@application
def reads_kept_input(environ, start_response):
    try:
        kept = KEPT.pop().read().decode()
    except Exception:
        kept = ""
    body = json.dumps([kept, environ["wsgi.input"].read().decode()]).encode()
    start_response("200 OK", [TEXT, ("Content-Length", str(len(body)))])
    return [body]


@probe(32, "a kept wsgi.input does not give the next request's body")
def input_after_its_request(talk):
    # Often, for it may take the thread that answered before.
    for attempt in range(32):
        wire = talk.connect()
        kept = talk.ask("keeps_input", "POST", wire=wire, body=b"mine")
        need(kept.body == b"kept", f"answers {kept}")
        if attempt > 2 or not wire.is_open():
            wire.close()
            wire = talk.connect()
        kept, own = talk.json("reads_kept_input", method="POST", wire=wire, body=b"secret")
        wire.close()
        need("secret" not in kept, f"gives the next request's body: {kept!r}")
        need(own == "secret", f"the next request reads {own!r}")
    need(talk.process(), "answers nobody after that")


@application
def ignores_input(environ, start_response):
    start_response("200 OK", [TEXT, ("Content-Length", "7")])
    return [b"ignored"]


@probe(33, "a body that the application does not read spoils neither this response nor the next")
def an_unread_body(talk):
    body = b"GET /evil HTTP/1.1\r\nHost: evil\r\n\r\n" * 6000
    # Often, for a server that closes too soon loses its response only now and then.
    for attempt in range(30):
        wire = talk.connect()
        response = talk.ask("ignores_input", "POST", wire=wire, body=body)
        need(response.body == b"ignored", f"answers {response}")
        if attempt < 3 and wire.is_open():
            wire.send(talk.bytes("one_block?list"))
            again = wire.read_response()
            need(again.body == b"hello", f"the next response is {again}")
        wire.close()


@application
def reads_all(environ, start_response):
    note(environ, "called")
    try:
        result = environ["wsgi.input"].read()
    except BaseException as error:
        note(environ, f"raised {type(error).__name__}")
        raise
    note(environ, f"read {len(result)}")
    start_response("200 OK", [TEXT])
    return [b"%d" % len(result)]


def leave_in_the_body(talk, begin):
    """What the application makes of a body whose sender has left; None if it is not called."""
    wire = talk.connect()
    wire.send(begin)
    talk.wait_for_note("called", patience=1.0)
    wire.close()
    if not talk.wait_for_note("called", patience=1.0):
        return None
    talk.wait_until(lambda: len(talk.notes()) > 1)
    need(len(talk.notes()) > 1, "the application waits for it without an end")
    return talk.notes()[1]


@probe(34, "a body that breaks off raises an error")
def a_body_that_breaks_off(talk):
    fields = [("Content-Length", "100")]
    said = leave_in_the_body(talk, talk.bytes("reads_all", "POST", fields=fields) + b"hello")
    prefer("read" not in (said or ""), f"no error; of 100 bytes the application has {said}")


@probe(34, "a chunked body that breaks off is not taken for whole")
def a_chunked_body_that_breaks_off(talk):
    fields = [("Transfer-Encoding", "chunked")]
    begin = talk.bytes("reads_all", "POST", fields=fields) + b"5\r\nhello\r\n"
    said = leave_in_the_body(talk, begin)
    need("read" not in (said or ""), f"takes it for whole: the application has {said}")
