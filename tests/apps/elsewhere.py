"""Applications whose work is done by another thread while the request's own thread waits.

/all        the helper reads the body, calls start_response and makes the iterable: a line of the
            body, the rest, then the names of the objects that it used
/executor   the same in an executor that serves all requests
/both       two threads read the body together: the number of bytes that they got, and their errors
/writes     the helper gives write() the query's number of blocks of 64 KiB
/mixed      the same, while the request's thread also calls write()
/floods     the helper gives write() blocks of 64 KiB without end, while the iterable gives a few bytes
/limited    the application waits a tenth of a second for the helper, which reads the body: 504
/outlives   the helper goes on after the response, when a client requests /go
/noted      the notes of the helpers, as JSON
"""

import concurrent.futures
import json
import threading

TEXT = [("Content-Type", "text/plain")]
BLOCK = bytes(65536)
noted = []
go = threading.Event()
executor = concurrent.futures.ThreadPoolExecutor(1)


def begin(work, *arguments):
    thread = threading.Thread(target=work, args=arguments)
    thread.start()
    return thread


def note(name, step):
    try:
        noted.append(f"{name}: {step()!r}")
    except Exception as error:
        noted.append(f"{name}: {type(error).__name__}: {error}")


def work(environ, start_response):
    body = environ["wsgi.input"]
    line, rest = body.readline(), body.read()
    write = start_response("201 Created", TEXT)
    write(b"written ")
    environ["wsgi.errors"].write("a note of the helper\n")
    return [line, rest, b" ", str(environ["libwsgi.client_disconnected"]()).encode()]


def everything(environ, start_response):
    made = []
    begin(lambda: made.append(work(environ, start_response))).join()
    return made[0]


def in_executor(environ, start_response):
    return executor.submit(work, environ, start_response).result()


def both(environ, start_response):
    got = []

    def read(size):
        try:
            while piece := environ["wsgi.input"].read(size):
                got.append(len(piece))
        except Exception as error:
            got.append(repr(error))

    for thread in [begin(read, 7), begin(read, 1000)]:
        thread.join()
    start_response("200 OK", TEXT)
    errors = [item for item in got if isinstance(item, str)]
    return [json.dumps([sum(item for item in got if item not in errors), errors]).encode()]


def writes(environ, start_response):
    def write_all(write):
        for _ in range(int(environ["QUERY_STRING"])):
            write(BLOCK)

    write = start_response("200 OK", TEXT)
    helper = begin(write_all, write)
    if environ["PATH_INFO"] == "/mixed":
        write_all(write)
    helper.join()
    return []


def floods(environ, start_response):
    write = start_response("200 OK", TEXT)

    def write_without_end():
        while True:
            write(BLOCK)

    begin(lambda: note("floods", write_without_end))
    return (b"a few bytes" for _ in range(5))


def limited(environ, start_response):
    def work():
        note("read", environ["wsgi.input"].read)
        note("start", lambda: start_response("200 OK", TEXT))

    begin(work).join(0.1)
    start_response("504 Gateway Timeout", TEXT)
    return [b"too late"]


def outlives(environ, start_response):
    write = start_response("200 OK", TEXT)

    def work():
        go.wait()
        note("read", environ["wsgi.input"].read)
        note("start", lambda: start_response("200 OK", TEXT))
        note("write", lambda: write(b"late"))

    begin(work)
    return [b"done"]


def go_on(environ, start_response):
    go.set()
    return show(environ, start_response)


def show(environ, start_response):
    start_response("200 OK", TEXT)
    return [json.dumps(noted).encode()]


ENDPOINTS = {
    "/all": everything,
    "/executor": in_executor,
    "/both": both,
    "/writes": writes,
    "/mixed": writes,
    "/floods": floods,
    "/limited": limited,
    "/outlives": outlives,
    "/go": go_on,
    "/noted": show,
}


def app(environ, start_response):
    return ENDPOINTS[environ["PATH_INFO"]](environ, start_response)
