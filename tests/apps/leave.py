"""Notes what an application learns about a client that leaves. The query string is a gate's path.

/running         checks, waits at the gate; then checks, reads and writes in every way, and yields
/stream          yields "first", waits at the gate, yields "second" and "third"
/whole           yields all of its Content-Length, then empty blocks until its client is gone; goes on
/written         the same by write()
/nothing         yields empty blocks until it is closed
/blocks          yields blocks of 64 KiB until it is closed
/write           gives such blocks to write() until it raises
/until_gone      yields such blocks until the client is gone, and then a hundred more
/upload          reads the body until its end
/finish          waits at the gate, and answers with "finished"
/noted           the notes, as JSON, and how many blocks the last of these has made
"""

import json
import threading
import time
from urllib.parse import unquote

TEXT = [("Content-Type", "text/plain")]
noted = []
blocks = [0]
# The callable of a request of /running, for use after its end.
kept = []


def gate(path):
    with open(path, "rb") as pipe:
        pipe.read()


def note(name, step):
    """Notes the result of a step."""
    try:
        noted.append(f"{name}: {step()!r}")
    except Exception as error:
        noted.append(f"{name}: {type(error).__name__}: {error}")


class Closing:
    """An iterable that notes its close()."""

    def __init__(self, pieces):
        self.pieces = pieces

    def __iter__(self):
        return self.pieces

    def close(self):
        noted.append("closed")


def new_block():
    blocks[0] += 1
    return bytes(65536)


def running(environ, start_response):
    gone, body = environ["libwsgi.client_disconnected"], environ["wsgi.input"]
    kept[:] = [gone]
    write = start_response("200 OK", TEXT)
    note("line", body.readline)
    note("before", gone)
    gate(unquote(environ["QUERY_STRING"]))
    note("after", gone)
    thread = threading.Thread(target=note, args=("on a thread", gone))
    thread.start()
    thread.join()
    note("read", lambda: body.read(-1))
    note("readline", body.readline)
    note("iteration", lambda: next(iter(body)))
    if hasattr(body, "read1"):  # the validator's body has only what PEP 3333 has
        note("read1", lambda: body.read1(3))
        note("readinto", lambda: body.readinto(bytearray(3)))
    note("readlines", body.readlines)
    note("write", lambda: write(b"written"))
    return Closing(iter([b"iterated"]))


def stream(environ, start_response):
    start_response("200 OK", TEXT)

    def pieces():
        yield b"first"
        gate(unquote(environ["QUERY_STRING"]))
        yield b"second"
        noted.append("asked for a third")
        yield b"third"

    return Closing(pieces())


def whole(environ, start_response):
    write = start_response("200 OK", [*TEXT, ("Content-Length", "5")])
    gone = environ["libwsgi.client_disconnected"]
    if environ["PATH_INFO"] == "/written":
        write(b"whole")

    def pieces():
        if environ["PATH_INFO"] == "/whole":
            yield b"whole"
        while not gone():
            yield b""
            time.sleep(0.005)
        yield b""
        note("went on", gone)

    return Closing(pieces())


def each_block(environ, start_response):
    blocks[0] = 0
    start_response("200 OK", TEXT)
    return Closing(iter(new_block, None))


def nothing(environ, start_response):
    """PEP 3333 offers empty blocks to applications that wait for something."""
    blocks[0] = 0
    start_response("200 OK", TEXT)

    def no_news():
        blocks[0] += 1
        time.sleep(0.005)
        return b""

    return Closing(iter(no_news, None))


def write(environ, start_response):
    blocks[0] = 0
    written = start_response("200 OK", TEXT)

    def without_end():
        while True:
            written(new_block())

    note("write", without_end)
    return Closing(iter([b"iterated"]))


def until_gone(environ, start_response):
    start_response("200 OK", TEXT)
    gone = environ["libwsgi.client_disconnected"]

    def pieces():
        while not gone():
            yield new_block()
        for _ in range(100):
            yield new_block()
        noted.append("finished")

    return Closing(pieces())


def upload(environ, start_response):
    note("line", environ["wsgi.input"].readline)
    note("upload", lambda: environ["wsgi.input"].read(-1))
    start_response("200 OK", TEXT)
    return Closing(iter([b"iterated"]))


def finish(environ, start_response):
    start_response("200 OK", TEXT)
    gate(unquote(environ["QUERY_STRING"]))
    noted.append("finished")
    return Closing(iter([b"finished"]))


def show(environ, start_response):
    start_response("200 OK", TEXT)
    if kept and noted[-1] == "closed":
        note("later", kept.pop())
    return [json.dumps([noted, blocks[0]]).encode()]


ENDPOINTS = {
    "/running": running,
    "/stream": stream,
    "/whole": whole,
    "/written": whole,
    "/blocks": each_block,
    "/nothing": nothing,
    "/write": write,
    "/until_gone": until_gone,
    "/upload": upload,
    "/finish": finish,
    "/noted": show,
}


def app(environ, start_response):
    return ENDPOINTS[environ["PATH_INFO"]](environ, start_response)
