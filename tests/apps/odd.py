"""Responses that are legal, or nearly, and rare. The name of each says what it is.

/getitem         an object with __getitem__ alone        /dict        keys of a dict
/set             a set of one piece                      /file        an open file itself
/bytes_subclass  a subclass of bytes                     /bytearray   a bytearray as a piece
/memoryview      a memoryview as a piece                 /str_subclass   status and headers
/list_subclass   a subclass of list as headers           /changed     headers changed afterwards
/no_close        an iterator whose close is None         /bad_len     a __len__ that is wrong
/stop_iteration  StopIteration from the application      /huge_header a header of 3000 bytes
/many_headers    200 headers                             /nested      write() while iterating
/thousand        a thousand pieces of one byte
/empty_reason    "299 " as status line                   /length_head Content-Length, any method
"""

import io

TEXT = ("Content-Type", "text/plain")


class GetItem:
    def __getitem__(self, index):
        return [b"one", b"two"][index]


class NoClose(list):
    close = None


class BadLen(list):
    def __len__(self):
        return 1


class Bytes(bytes):
    pass


class Text(str):
    pass


class Headers(list):
    pass


def simple(body, *headers, status="200 OK"):
    def endpoint(environ, start_response):
        start_response(status, [TEXT, *headers])
        return body()

    return endpoint


def str_subclass(environ, start_response):
    start_response(Text("200 OK"), [(Text("X-Text"), Text("text"))])
    return [b"text"]


def list_subclass(environ, start_response):
    start_response("200 OK", Headers([TEXT]))
    return [b"text"]


def changed(environ, start_response):
    headers = [TEXT, ("X-Before", "yes")]
    start_response("200 OK", headers)
    headers.append(("X-After\r\n", "no"))
    return [b"changed"]


def stop_iteration(environ, start_response):
    raise StopIteration("on purpose")


def nested(environ, start_response):
    write = start_response("200 OK", [TEXT])
    yield b"a"
    write(b"b")
    yield b"c"


ENDPOINTS = {
    "getitem": simple(GetItem),
    "dict": simple(lambda: {b"one": 1, b"two": 2}),
    "set": simple(lambda: {b"one"}),
    "file": simple(lambda: io.BytesIO(b"one\ntwo\n")),
    "bytes_subclass": simple(lambda: [Bytes(b"text")]),
    "bytearray": simple(lambda: [bytearray(b"text")]),
    "memoryview": simple(lambda: [memoryview(b"text")]),
    "str_subclass": str_subclass,
    "list_subclass": list_subclass,
    "changed": changed,
    "no_close": simple(lambda: NoClose([b"text"])),
    "bad_len": simple(lambda: BadLen([b"one", b"two"])),
    "stop_iteration": stop_iteration,
    "huge_header": simple(lambda: [b"text"], ("X-Huge", "h" * 3000)),
    "many_headers": simple(lambda: [b"text"], *((f"X-{n}", str(n)) for n in range(200))),
    "nested": nested,
    "thousand": simple(lambda: (b"x" for _ in range(1000))),
    "empty_reason": simple(lambda: [b"text"], status="299 "),
    "length_head": simple(lambda: [], ("Content-Length", "1000")),
}


def app(environ, start_response):
    return ENDPOINTS[environ["PATH_INFO"].strip("/")](environ, start_response)
