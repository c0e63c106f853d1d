"""The applications that every instrument of benches/ measures, on every server.

hello_world         13 bytes
from_environ        1 KB made of the request's 12 headers
one_block           1 MiB, one bytes
blocks              1 MiB, a generator of 64 blocks
upload              reads the whole body at once, and answers with its length
sleep_10ms          as hello_world, after a pause; also sleep_5ms
busy_200ms          as hello_world, after 200 ms of computing in Python
wrapped_file        a file of 10 MiB, through wsgi.file_wrapper

All state the length of their bodies. Otherwise some servers close each connection, and others wait
40 ms for the client's acknowledgement. The benches would measure that instead.
"""

import pathlib
import time

HEADERS = """
    HTTP_HOST HTTP_USER_AGENT HTTP_ACCEPT HTTP_ACCEPT_LANGUAGE HTTP_ACCEPT_ENCODING HTTP_REFERER
    HTTP_COOKIE HTTP_CACHE_CONTROL HTTP_SEC_FETCH_DEST HTTP_SEC_FETCH_MODE HTTP_SEC_FETCH_SITE
    HTTP_X_REQUEST_ID
""".split()
PLAIN = [("Content-Type", "text/plain")]
MEGABYTE = 1 << 20
BLOCK = b"0123456789abcde\n" * 1024
# The program that measures makes this file.
FILE = pathlib.Path(__file__).resolve().parents[1] / "build" / "bench" / "10m"
WHOLE = BLOCK * (MEGABYTE // len(BLOCK))


def hello_world(environ, start_response):
    body = b"Hello world!\n"
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "13")])
    return [body]


def from_environ(environ, start_response):
    lines = [f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"]
    lines += [f"{name}: {environ.get(name, '')}" for name in HEADERS]
    body = "\n".join(lines).ljust(1024).encode("latin-1")
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "1024")])
    return [body]


def one_block(environ, start_response):
    start_response("200 OK", [*PLAIN, ("Content-Length", str(MEGABYTE))])
    return [WHOLE]


def blocks(environ, start_response):
    start_response("200 OK", [*PLAIN, ("Content-Length", str(MEGABYTE))])
    return (BLOCK for _ in range(MEGABYTE // len(BLOCK)))


def upload(environ, start_response):
    body = b"%d bytes\n" % len(environ["wsgi.input"].read())
    start_response("200 OK", [*PLAIN, ("Content-Length", str(len(body)))])
    return [body]


def sleep_10ms(environ, start_response):
    # What is measured: applications that wait for a database.
    time.sleep(0.010)
    return hello_world(environ, start_response)


def sleep_5ms(environ, start_response):
    time.sleep(0.005)
    return hello_world(environ, start_response)


def busy_200ms(environ, start_response):
    until = time.thread_time() + 0.2
    while time.thread_time() < until:
        sum(range(1000))
    return hello_world(environ, start_response)


def wrapped_file(environ, start_response):
    start_response("200 OK", [*PLAIN, ("Content-Length", str(10 * MEGABYTE))])
    return environ["wsgi.file_wrapper"](FILE.open("rb"), 1 << 16)
