"""Rows E1 to E9: environ, and what of a request must not reach it."""

import json

from battery import Fault, application, need, prefer, probe
from wire import Closed

TEXT = ("Content-Type", "text/plain")
WSGI = {
    "wsgi.version": (1, 0),
    "wsgi.url_scheme": "http",
}
STREAMS = {"wsgi.input": ("read", "readline", "readlines", "__iter__")}
STREAMS["wsgi.errors"] = ("flush", "write", "writelines")
FLAGS = ("wsgi.multithread", "wsgi.multiprocess", "wsgi.run_once")


def answer(start_response, value):
    body = json.dumps(value).encode()
    start_response("200 OK", [TEXT, ("Content-Length", str(len(body)))])
    return [body]


@application
def environ_strings(environ, start_response):
    """All of environ that is a str, and the body."""
    strings = {name: value for name, value in environ.items() if isinstance(value, str)}
    if "body" in environ.get("QUERY_STRING", ""):
        strings["body"] = environ["wsgi.input"].read().decode("latin-1")
    return answer(start_response, strings)


@application
def environ_faults(environ, start_response):
    """What is wrong with the environ itself, as one sentence each."""
    faults = []
    if type(environ) is not dict:
        faults.append(f"environ is a {type(environ).__name__}")
    for name in ("REQUEST_METHOD", "SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL"):
        if not environ.get(name):
            faults.append(f"{name} is {environ.get(name)!r}")
    for name, value in environ.items():
        if name.isupper() and type(value) is not str:
            faults.append(f"{name} is a {type(value).__name__}")
        if type(value) is str and any(ord(letter) > 255 for letter in value):
            faults.append(f"{name} is beyond ISO-8859-1: {value!r}")
    for name, wanted in WSGI.items():
        if environ.get(name) != wanted:
            faults.append(f"{name} is {environ.get(name)!r}")
    for stream, methods in STREAMS.items():
        for method in methods:
            if not hasattr(environ.get(stream), method):
                faults.append(f"{stream} has no {method}")
    faults += [f"there is no {flag}" for flag in FLAGS if flag not in environ]
    if "spoilt" in environ or environ.get("REQUEST_METHOD") == "SPOILT":
        faults.append("environ has what the last request put into it")
    environ.update({"spoilt": "yes", "REQUEST_METHOD": "SPOILT", "wsgi.version": None})
    environ.pop("wsgi.errors", None)
    return answer(start_response, [faults, bool(environ.get("wsgi.multithread"))])


@probe("E1", "environ is a new dict with all that PEP 3333 requires")
def what_environ_is(talk):
    wire = talk.connect()
    for _ in range(2):
        faults, multithread = talk.json("environ_faults", wire=wire)
        need(not faults, "; ".join(faults))
        need(multithread == (talk.threads > 1), f"wsgi.multithread is {multithread}")
        wire = wire if wire.is_open() else talk.connect()


@probe("E2", "the path is decoded to bytes, and those are ISO-8859-1")
def the_path(talk):
    target = "environ_strings/%C3%A9%20%E9;a=b?q=%C3%A9+x"
    environ = talk.json(target)
    path = environ.get("SCRIPT_NAME", "") + environ["PATH_INFO"]
    need(path == "/environ_strings/\xc3\xa9 \xe9;a=b", f"PATH_INFO is {path!r}")
    query = environ.get("QUERY_STRING")
    need(query == "q=%C3%A9+x", f"QUERY_STRING is {query!r}")


@probe("E2", "%2F is decoded like any other byte")
def an_encoded_slash(talk):
    response = talk.ask("environ_strings/a%2Fb")
    if response.status == 404:
        return "answers 404 for %2F, as RFC 3875 lets it"
    path = response.json()["PATH_INFO"]
    need(path == "/environ_strings/a/b", f"PATH_INFO is {path!r}")
    return None


@probe("E3", "a header's bytes are ISO-8859-1")
def bytes_of_a_header(talk):
    environ = talk.json("environ_strings", fields=[("X-Latin", "caf\xe9")])
    value = environ.get("HTTP_X_LATIN")
    need(value == "caf\xe9", f"HTTP_X_LATIN is {value!r}")


@probe("E4", "headers of one name are joined by a comma")
def headers_of_one_name(talk):
    fields = [("X-Twice", "one"), ("X-Other", "x"), ("X-Twice", "two")]
    value = talk.json("environ_strings", fields=fields).get("HTTP_X_TWICE")
    need(value in ("one, two", "one,two"), f"HTTP_X_TWICE is {value!r}")


@probe("E4", "two Cookie headers stay cookies")
def two_cookies(talk):
    fields = [("Cookie", "a=1"), ("Cookie", "b=2")]
    value = talk.json("environ_strings", fields=fields).get("HTTP_COOKIE")
    need(value in ("a=1; b=2", "a=1;b=2", "a=1, b=2", "a=1,b=2"), f"HTTP_COOKIE is {value!r}")
    prefer(";" in value, f"HTTP_COOKIE is {value!r}: one cookie to most parsers")


@probe("E5", "X_Real_User does not pass for X-Real-User")
def a_header_with_an_underscore(talk):
    for fields in (
        [("X-Real-User", "good"), ("X_Real_User", "evil")],
        [("X_Real_User", "evil"), ("X-Real-User", "good")],
    ):
        response = talk.ask("environ_strings", fields=fields)
        if response.status == 400:
            continue
        value = response.json().get("HTTP_X_REAL_USER")
        prefer(value == "good", f"HTTP_X_REAL_USER is {value!r}")


@probe("E6", "the host of an absolute target is HTTP_HOST")
def an_absolute_target(talk):
    response = talk.ask("http://example.test:81/environ_strings?q", host="other.test")
    need(not response.body.startswith(b"alive"), "PATH_INFO is not the path")
    environ = response.json()
    host, path = environ.get("HTTP_HOST"), environ["PATH_INFO"]
    need(path == "/environ_strings", f"PATH_INFO is {path!r}")
    need(host in ("example.test:81", "example.test"), f"HTTP_HOST is {host!r}")


@probe("E7", "a chunked body is decoded")
def a_chunked_body(talk):
    wire = talk.connect()
    fields = [("Transfer-Encoding", "chunked")]
    wire.send(talk.bytes("environ_strings?body", "POST", fields=fields))
    wire.send(b"5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n")
    response = wire.read_response()
    if response.status == 411:
        return "refuses it with 411, as RFC 9112 lets it"
    need(response.status == 200, f"answers {response}")
    body = response.json()["body"]
    need(body == "hello world", f"the application reads {body!r}")
    return None


@probe("E7", "Content-Length together with chunks does not decide")
def a_length_beside_chunks(talk):
    wire = talk.connect()
    fields = [("Content-Length", "4"), ("Transfer-Encoding", "chunked")]
    wire.send(talk.bytes("environ_strings?body", "POST", fields=fields))
    wire.send(b"5\r\nhello\r\n0\r\n\r\n")
    response = wire.read_response()
    if response.status in (400, 411, 501):
        return
    need(response.status == 200, f"answers {response}")
    body = response.json()["body"]
    need(body == "hello", f"the application reads {body!r}: request smuggling")
    need(wire.read_rest()[1], "keeps the connection")


@probe("E8", "Expect: 100-continue is answered")
def expect_continue(talk):
    wire = talk.connect()
    fields = [("Expect", "100-continue"), ("Content-Length", "5")]
    wire.send(talk.bytes("environ_strings?body", "POST", fields=fields))
    # "Wait until the client decides that the server does not support expect/continue" (PEP 3333).
    continues = wire.wait_for(b"100 Continue", wire.patience / 2)
    wire.send(b"hello")
    response = wire.read_response()
    need(response.status == 200, f"answers {response}")
    body = response.json()["body"]
    need(body == "hello", f"the application reads {body!r}")
    prefer(continues, "never says 100: the client has to lose patience")


BAD_REQUESTS = {
    "two Content-Length": b"POST /alive HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
    b"Content-Length: 6\r\n\r\nhello!",
    "Content-Length: +5": b"POST /alive HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\nhello",
    "no Host": b"GET /alive HTTP/1.1\r\n\r\n",
    "two Host": b"GET /alive HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    "a space before the colon": b"GET /alive HTTP/1.1\r\nHost: x\r\nX-Odd : y\r\n\r\n",
}


@probe("E9", "requests that RFC 9112 has refused with 400 are refused")
def bad_requests(talk):
    taken = []
    for what, request in BAD_REQUESTS.items():
        wire = talk.connect()
        wire.send(request)
        try:
            response = wire.read_response()
        except Closed:
            continue
        if not 400 <= response.status < 600:
            taken.append(what)
    if taken:
        raise Fault(f"takes {', '.join(taken)}")
