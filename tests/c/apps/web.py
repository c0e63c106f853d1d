"""The application for the HTTP servers of examples/.

/hello     "Hello world!", with a length
/echo      the body
/fail      raises before the head
/truncate  raises after a block; /short  gives less than its Content-Length
/stream    a block, then waits for /open, then another
/open      lets /stream go on
/upload    waits for the first byte of the body, then lets /uploading answer, then counts the rest
/uploading answers once an /upload or a /broken has begun
/endless   blocks until the client leaves
/left      answers once an /endless was closed
/big       BIG bytes in blocks of 64 KiB; /produced  how many blocks it has made until now
/sleep     prints a line, then sleeps for a minute and does not check for its client
/broken    keeps the exception of half a body; /why  returns it to another request
/environ   environ, a line a key
"""

import threading
import time

BIG = 64 * 1024 * 1024
produced = 0
opened = threading.Event()
uploading = threading.Event()
left = threading.Event()
raised = threading.Event()


def stream():
    yield b"one"
    opened.wait(60)
    yield b"two"


def truncate():
    yield b"half"
    raise ValueError("after the first block")


def endless():
    try:
        while True:
            yield b"x" * 65536
    finally:
        left.set()


def big():
    global produced
    block = b"0123456789abcdef" * 4096
    while produced < BIG:
        produced += len(block)
        yield block


def sleep():
    print("it sleeps")
    time.sleep(60)
    return b""


def upload(body):
    count = len(body.read(1))
    uploading.set()
    return count + len(body.read())


def broken(body):
    uploading.set()
    try:
        body.read()
    except OSError:
        raised.set()
        raise


def wait(event):
    return b"now" if event.wait(30) else b"never"


def application(environ, start_response):
    path, body = environ["PATH_INFO"], environ["wsgi.input"]
    if path == "/fail":
        raise ValueError("before the head")
    if path == "/open":
        opened.set()
    if path == "/broken":
        broken(body)
    headers = [("Content-Type", "text/plain"), ("X-Tab", "a\tb"), ("X-Empty", "")]
    if path in ("/hello", "/short"):
        headers.append(("Content-Length", "12"))
    start_response("200 Fine", headers)
    streams = {"/stream": stream, "/truncate": truncate, "/endless": endless, "/big": big}
    if path in streams:
        return streams[path]()
    answers = {
        "/short": lambda: b"short",
        "/echo": body.read,
        "/upload": lambda: str(upload(body)).encode(),
        "/uploading": lambda: wait(uploading),
        "/left": lambda: wait(left),
        "/why": lambda: wait(raised),
        "/produced": lambda: str(produced).encode(),
        "/sleep": sleep,
        "/environ": lambda: "".join(f"{k}={v}\n" for k, v in environ.items()).encode("latin-1"),
    }
    return [answers.get(path, lambda: b"Hello world!")()]
