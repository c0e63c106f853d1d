"""Applications that each break a rule. The log must name the line with the mark `# here: NAME`."""

import functools
import sys

PLAIN = [("Content-Type", "text/plain")]


def head(environ, start_response):
    """Calls start_response with the values of the expressions in X-Status and X-Headers."""
    status, headers = eval(environ["HTTP_X_STATUS"]), eval(environ["HTTP_X_HEADERS"])
    start_response(status, headers)  # here: head
    return [b"body"]


def caught(environ, start_response):
    """Goes on as if nothing had happened."""
    try:
        start_response("oops", PLAIN)  # here: caught
    except ValueError:
        pass
    return [b"body"]


def mended(environ, start_response):
    """Reports the error as PEP 3333 requires."""
    try:
        start_response("oops", PLAIN)  # here: mended
    except ValueError:
        start_response("500 Oops", PLAIN, sys.exc_info())
    return [b"the application's own page"]


def again_after_error(environ, start_response):
    try:
        start_response("oops", PLAIN)  # here: first
    except ValueError:
        start_response("200 OK", PLAIN)  # here: again_after_error
    return [b"body"]


def refused_after_write(environ, start_response):
    """Writes after start_response has refused a second head."""
    write = start_response("200 OK", PLAIN)
    try:
        raise KeyError("a reason")
    except KeyError:
        try:
            start_response("oops", PLAIN, sys.exc_info())
        except ValueError:
            write(b"block")
    return []


def again(environ, start_response):
    start_response("200 OK", PLAIN)
    start_response("200 OK", PLAIN)  # here: again
    return [b"body"]


def keywords(environ, start_response):
    start_response(status="200 OK", response_headers=PLAIN)
    return []


def bad_exc_info(environ, start_response):
    write = start_response("200 OK", PLAIN)
    write(b"block")
    start_response("500 Oops", PLAIN, "why")  # here: bad_exc_info
    return []


def written_text(environ, start_response):
    start_response("200 OK", PLAIN)("text")  # here: written_text
    return []


def written_too_much(environ, start_response):
    write = start_response("200 OK", [("Content-Length", "3")])
    write(b"four")  # here: written_too_much
    return []


def written_too_often(environ, start_response):
    """Goes on after each of a hundred exceptions."""
    write = start_response("200 OK", [("Content-Length", "3")])
    for _ in range(100):
        try:
            write(b"four")
        except AssertionError:
            pass
    return []


def too_much(environ, start_response):
    start_response("200 OK", [("Content-Length", "3")])
    yield b"12"
    yield b"34"  # here: too_much
    yield b"56"


def too_much_listed(environ, start_response):  # here: too_much_listed
    start_response("200 OK", [("Content-Length", "3")])
    return [b"four"]


def too_little(environ, start_response):  # here: too_little
    start_response("200 OK", [("Content-Length", "3")])
    return iter([b"12"])


class Liar(list):
    def __len__(self):
        return 1


def liar(environ, start_response):  # here: liar
    start_response("200 OK", PLAIN)
    return Liar([b"one", b"two"])


def text_yielded(environ, start_response):
    start_response("200 OK", PLAIN)
    yield b"block"
    yield "text"  # here: text_yielded


class Texts:
    def __iter__(self):
        return self

    def __next__(self):  # here: text_iterated
        return "text"


def text_iterated(environ, start_response):
    start_response("200 OK", PLAIN)
    return Texts()


def text_listed(environ, start_response):  # here: text_listed
    start_response("200 OK", PLAIN)
    return ["x" * 1000]


class Costly:
    def __repr__(self):
        raise AssertionError("this is a query")


def object_listed(environ, start_response):  # here: object_listed
    start_response("200 OK", PLAIN)
    return [Costly()]


def bare(environ, start_response):  # here: bare
    start_response("200 OK", PLAIN)
    return b"\x1b[31m"


def nothing(environ, start_response):  # here: nothing
    start_response("200 OK", PLAIN)


async def asynchronous(environ, start_response):  # here: asynchronous
    start_response("200 OK", PLAIN)
    return [b"body"]


def not_started(environ, start_response):
    yield b"block"  # here: not_started


def not_started_listed(environ, start_response):  # here: not_started_listed
    return [b"block"]


class Instance:
    def __call__(self, environ, start_response):  # here: instance
        return []

    def method(self, environ, start_response):  # here: method
        return []


class Class:
    def __init__(self, environ, start_response):  # here: Class
        pass

    def __iter__(self):
        return iter(())


def decorated(function):
    @functools.wraps(function)
    def wrapper(environ, start_response):
        return function(environ, start_response)

    return wrapper


@decorated  # here: wrapped
def wrapped(environ, start_response):
    return []


instance = Instance()
method = instance.method
builtin = lambda *_: print  # noqa: E731


def connection(environ, start_response):
    headers = [("Connection", "close"), ("X-Some", "thing")]
    start_response("200 OK", headers)  # here: connection
    return [b"body"]


class BadClose(list):
    def close(self):
        raise RuntimeError("no such table\nand more")


def bad_close(environ, start_response):
    start_response("200 OK", PLAIN)
    return BadClose([b"body"])


def raises(environ, start_response):
    raise KeyError("x" * 1000)


def nothing_sized(environ, start_response):
    start_response("200 OK", [("Content-Length", "3")])
    return []
