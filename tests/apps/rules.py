"""Rules of PEP 3333, one for each path.

/replaced        write(b""), then the head is replaced with exc_info
/raised_again    what start_response raises for exc_info once something was sent
/exc_info        whether anything still holds the exception that exc_info had
/attributes      which attributes of the iterable have been used, for the request before
/iterable        the iterable that /attributes tells of
/bytes           every byte there is, and line ends of every kind
/exit_in_close   sys.exit() in close()
/wrapper         a file_wrapper that is made and not returned
/asked           how often the generator of /lazy has been asked for more
/lazy            a Content-Length of one block, and a generator that would give three
/environ         puts keys into environ and takes some out

positional, Class, instance, method, partial   applications of other kinds, each answers its name
"""

import functools
import io
import sys
import traceback
import weakref

TEXT = [("Content-Type", "text/plain")]
EVERY_BYTE = bytes(range(256)) + b"\r\n\n\r\r\n\n"
asked = []
used = []
raised = []


class Noted(Exception):
    """An exception that can be looked for when it is gone."""


def failure():
    try:
        raise Noted("the reason")
    except Noted:
        raised.append(weakref.ref(sys.exc_info()[1]))
        return sys.exc_info()


def replaced(environ, start_response):
    write = start_response("200 OK", [("X-Old", "yes")])
    write(b"")
    start_response("500 Oops", [*TEXT, ("X-New", "yes")], failure())
    return [b"replaced"]


def raised_again(environ, start_response):
    start_response("200 OK", TEXT)(b"sent")
    try:
        raise Noted("the reason")
    except Noted:
        info = sys.exc_info()
    try:
        start_response("500 Oops", TEXT, info)
    except Noted as error:
        frames = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
        return [repr((error is info[1], frames)).encode()]
    return [b"nothing was raised"]


def exc_info(environ, start_response):
    raised.clear()
    start_response("200 OK", TEXT)
    start_response("500 Oops", TEXT, failure())
    return [repr([reference() for reference in raised]).encode()]


class Iterable:
    """Notes which of its attributes are asked for; special methods are found without."""

    def __init__(self):
        self.blocks = iter([b"one", b"two"])

    def __getattribute__(self, name):
        if name != "blocks":
            used.append(name)
        return super().__getattribute__(name)

    def __iter__(self):
        return self

    def __next__(self):
        return next(self.blocks)

    def close(self):
        pass


class ExitInClose(list):
    def close(self):
        sys.exit(3)


def answering(iterable, headers=TEXT):
    def endpoint(environ, start_response):
        start_response("200 OK", headers)
        return iterable()

    return endpoint


def wrapper(environ, start_response):
    environ["wsgi.file_wrapper"](io.BytesIO(b"never to be sent"))
    start_response("200 OK", TEXT)
    return [b"something else"]


def lazy():
    for block in (b"block", b"never", b"never"):
        asked.append(block)
        yield block


def change(environ, start_response):
    for key in [key for key in environ if key.startswith("wsgi.")]:
        del environ[key]
    environ.update({"PATH_INFO": 3, "a key": object()})
    start_response("200 OK", TEXT)
    return [b"changed"]


ENDPOINTS = {
    "replaced": replaced,
    "raised_again": raised_again,
    "exc_info": exc_info,
    "iterable": answering(Iterable),
    "attributes": answering(lambda: [repr(used).encode()]),
    "bytes": answering(lambda: iter([EVERY_BYTE])),
    "exit_in_close": answering(lambda: ExitInClose([b"whole"])),
    "wrapper": wrapper,
    "lazy": answering(lazy, [("Content-Length", "5")]),
    "asked": answering(lambda: [repr(asked).encode()]),
    "environ": change,
}


def app(environ, start_response):
    return ENDPOINTS[environ["PATH_INFO"].strip("/")](environ, start_response)


def positional(e, s, /):
    s("200 OK", TEXT)
    return [b"positional"]


class Class:
    def __init__(self, environ, start_response):
        self.start = start_response

    def __iter__(self):
        self.start("200 OK", TEXT)
        yield b"Class"


class Callable:
    def __call__(self, environ, start_response):
        start_response("200 OK", TEXT)
        return [b"instance"]

    def answer(self, environ, start_response):
        start_response("200 OK", TEXT)
        return [b"method"]


def named(name, environ, start_response):
    start_response("200 OK", TEXT)
    return [name]


instance = Callable()
method = instance.answer
partial = functools.partial(named, b"partial")
