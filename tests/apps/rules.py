"""Rules of PEP 3333, one for each path.

/replaced        write(b""), then the head is replaced with exc_info
/raised_again    what start_response raises for exc_info after something was sent
/exc_info        whether an object still holds the exception of exc_info
/attributes      which attributes of the iterable of /iterable the server used
/iterable        an iterable that notes its attributes
/bytes           every byte there is, and line ends of every kind
/exit_in_close   sys.exit() in close()
/wrapper         a file_wrapper that the application makes and does not return
/asked           how many blocks of the generator of /lazy the server requested
/lazy            a Content-Length of one block, and a generator that would give three
/environ         adds keys to environ and removes some

positional, Class, instance, method, partial   applications of other kinds; each answers its name
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
    """An exception that can be searched for after its end."""


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
    """Notes which attributes the server reads. Python reads special methods in another way."""

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
