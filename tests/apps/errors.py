"""Applications with errors. The name of each says what it does.

/ok                      answers "ok"
/raises                  an exception before start_response
/raises_after_start      an exception after start_response, before a body
/raises_after_chunk      an exception after the first piece, chunked
/raises_after_much       the same after nine megabytes
/raises_after_length     the same with a Content-Length
/raises_in_close         an exception in close(), after a whole body
/system_exit             sys.exit(3)            /system_exit_later   the same after the first piece
/keyboard_interrupt      KeyboardInterrupt      /generator_exit      GeneratorExit
/memory_error            MemoryError            /recursion           endless recursion
/chain                   an exception with a cause
/bad_exception           an exception whose str() raises
/str_body /int_body      a list of one str, of one int
/str_later               a str after the first piece
/bare_bytes /bare_str    the body itself instead of a list
/none                    returns None           /number              returns 7
/no_start                no start_response      /no_start_empty      the same with an empty body
/started_twice           start_response twice   /written_str         write("text")
/closed                  how many iterables have been closed
/header?NAME=VALUE       a header field with that name and value
/status?LINE             that status line
/headers?EXPRESSION      start_response("200 OK", EXPRESSION)
"""

import sys
from urllib.parse import unquote

TEXT = [("Content-Type", "text/plain")]
closed = []


class Body:
    """Yields pieces; one that is an exception is raised."""

    def __init__(self, *pieces, on_close=None):
        self.pieces, self.on_close = pieces, on_close

    def __iter__(self):
        for piece in self.pieces:
            if isinstance(piece, BaseException):
                raise piece
            yield piece

    def close(self):
        closed.append(1)
        if self.on_close:
            raise self.on_close


class Unprintable(Exception):
    def __str__(self):
        raise ValueError("no words for it")


def raising(error):
    def endpoint(environ, start_response):
        raise error("on purpose")

    return endpoint


def answering(body, *headers):
    def endpoint(environ, start_response):
        start_response("200 OK", TEXT + list(headers))
        return body()

    return endpoint


def recursion(environ, start_response):
    return recursion(environ, start_response)


def chain(environ, start_response):
    try:
        {}["the cause"]
    except KeyError as error:
        raise RuntimeError("the effect") from error


def started_twice(environ, start_response):
    start_response("200 OK", TEXT)
    start_response("200 OK", TEXT)
    return [b"twice"]


def written_str(environ, start_response):
    start_response("200 OK", TEXT)("text")
    return []


def header(environ, start_response):
    name, value = unquote(environ["QUERY_STRING"]).split("=", 1)
    start_response("200 OK", TEXT + [(name, value)])
    return [b"sent"]


def status(environ, start_response):
    start_response(unquote(environ["QUERY_STRING"]), TEXT)
    return [b"sent"]


def headers(environ, start_response):
    start_response("200 OK", eval(unquote(environ["QUERY_STRING"])))
    return [b"sent"]


ENDPOINTS = {
    "ok": answering(lambda: [b"ok"]),
    "raises": raising(ValueError),
    "raises_after_start": answering(lambda: Body(ValueError("on purpose"))),
    "raises_after_chunk": answering(lambda: Body(b"first", ValueError("on purpose"))),
    "raises_after_much": answering(
        lambda: Body(*[b"some words " * 6000] * 140, ValueError("on purpose"))
    ),
    "raises_after_length": answering(
        lambda: Body(b"first", ValueError("on purpose")), ("Content-Length", "100")
    ),
    "raises_in_close": answering(lambda: Body(b"whole", on_close=ValueError("on purpose"))),
    "system_exit": lambda environ, start_response: sys.exit(3),
    "system_exit_later": answering(lambda: Body(b"first", SystemExit(3))),
    "keyboard_interrupt": raising(KeyboardInterrupt),
    "generator_exit": raising(GeneratorExit),
    "memory_error": raising(MemoryError),
    "recursion": recursion,
    "chain": chain,
    "bad_exception": raising(Unprintable),
    "str_body": answering(lambda: Body("text")),
    "int_body": answering(lambda: Body(7)),
    "str_later": answering(lambda: Body(b"first", "text")),
    "bare_bytes": answering(lambda: b"bare"),
    "bare_str": answering(lambda: "bare"),
    "none": answering(lambda: None),
    "number": answering(lambda: 7),
    "no_start": lambda environ, start_response: [b"no start"],
    "no_start_empty": lambda environ, start_response: [],
    "started_twice": started_twice,
    "written_str": written_str,
    "closed": answering(lambda: [str(len(closed)).encode()]),
    "header": header,
    "status": status,
    "headers": headers,
}


def app(environ, start_response):
    return ENDPOINTS[environ["PATH_INFO"].strip("/")](environ, start_response)


not_callable = "text"
