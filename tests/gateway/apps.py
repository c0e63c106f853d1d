"""Applications for the gateway's tests. The docstring of a function describes what it does."""

import io
import sys
import tempfile
import threading

import libwsgi

KEPT = {}
PLAIN = [("Content-Type", "text/plain")]


class Blocks:
    """An iterable that counts the calls of its close()."""

    closed = 0

    def __init__(self, blocks, fail_at=None):
        self.blocks = iter(blocks)

    def __iter__(self):
        return self

    def __next__(self):
        block = next(self.blocks)
        if isinstance(block, BaseException):
            raise block
        return block

    def close(self):
        Blocks.closed += 1
        print("closed on the thread of the call:", threading.get_ident() == KEPT["thread"])


def blocks(start_response, items, headers=PLAIN, status="200 OK"):
    KEPT["thread"] = threading.get_ident()
    start_response(status, headers)
    return Blocks(items)


def hello_world(environ, start_response):
    body = b'Hello world!\n'
    start_response('200 OK', [('Content-type', 'text/plain')])
    return [body]


def environ(environ, start_response):
    """Answers with the name of environ's type, then a line for each key with its repr."""
    lines = [f"{key}={environ[key]!r}" for key in sorted(environ)]
    start_response("200 OK", PLAIN)
    return ["\n".join([type(environ).__name__] + lines).encode()]


def two_blocks(environ, start_response):
    return blocks(start_response, [b"", b"first", b"", b"second"])


def late_start(environ, start_response):
    """Calls start_response when the gateway asks for the first block."""
    start_response("404 Not Found", PLAIN)
    yield b"late"


def replaced_before_first_block(environ, start_response):
    """Replaces the head after an empty block, which sends nothing."""
    start_response("200 OK", [("X-Old", "1")])
    yield b""
    try:
        raise ValueError("replaced")
    except ValueError:
        start_response("500 Oops", [("X-New", "1")], sys.exc_info())
    yield b"error page"


def exc_info_after_first_block(environ, start_response):
    start_response("200 OK", PLAIN)
    yield b"block"
    try:
        raise ValueError("too late to replace")
    except ValueError:
        start_response("500 Oops", PLAIN, sys.exc_info())
    yield b"never"


def started_twice(environ, start_response):
    start_response("200 OK", PLAIN)
    start_response("200 OK", PLAIN)
    return [b"x"]


def never_started(environ, start_response):
    return [b"x"]


def written(environ, start_response):
    write = start_response("200 OK", PLAIN)
    write(b"")
    write(b"written ")
    return [b"returned"]


def written_text(environ, start_response):
    start_response("200 OK", PLAIN)("text")
    return []


def empty(environ, start_response):
    start_response("200 OK", PLAIN)
    return []


def no_content(environ, start_response):
    start_response("204 No Content", [("Content-Length", "1")])
    return [b"x"]


def not_modified(environ, start_response):
    start_response("304 Not Modified", [("ETag", '"1"')])
    return [b"x"]


def sized(environ, start_response):
    """States a Content-Length of 10. X-Blocks has the sizes of the blocks, separated by commas."""
    sizes = environ["HTTP_X_BLOCKS"].split(",")
    headers = [("Content-Length", "10")]
    return blocks(start_response, [b"x" * int(size) for size in sizes if size], headers)


def sized_list(environ, start_response):
    start_response("200 OK", [("Content-Length", "10")])
    return [b"x" * int(environ["HTTP_X_BLOCKS"])]


def raises(environ, start_response):
    raise KeyError("nothing here")


def raises_after_block(environ, start_response):
    return blocks(start_response, [b"block", ValueError("in the middle")])


def raises_before_block(environ, start_response):
    return blocks(start_response, [ValueError("at the start")])


def exits(environ, start_response):
    sys.exit(3)


def interrupts(environ, start_response):
    raise KeyboardInterrupt


def bad_close(environ, start_response):
    class Bad(list):
        def close(self):
            raise RuntimeError("close failed")

    start_response("200 OK", PLAIN)
    return Bad([b"fine"])


def returns(environ, start_response):
    """Returns the value of the expression in X-Returns."""
    start_response("200 OK", PLAIN)
    return eval(environ["HTTP_X_RETURNS"])


def head(environ, start_response):
    """Calls start_response with the values of the expressions in X-Status and X-Headers."""
    start_response(eval(environ["HTTP_X_STATUS"]), eval(environ["HTTP_X_HEADERS"]))
    return [b"body"]


def read(environ, start_response):
    """Answers with the repr of the expression in X-Read. There i is wsgi.input."""
    i = environ["wsgi.input"]
    try:
        result = eval(environ["HTTP_X_READ"], {"i": i})
    except Exception as error:
        result = error
    start_response("200 OK", PLAIN)
    return [repr(result).encode()]


def read_on(environ, start_response):
    """Reads on after each error, and answers with the result of each read."""
    i = environ["wsgi.input"]
    results = []
    for read in (i.readline, i.readline, i.read, i.readlines, lambda: i.read(1)):
        try:
            results.append(read())
        except OSError as error:
            results.append(str(error).encode())
    start_response("200 OK", PLAIN)
    return [b"|".join(results)]


def reads_all(environ, start_response):
    body = environ["wsgi.input"].read()
    start_response("200 OK", PLAIN)
    return [body]


def wraps_the_error(environ, start_response):
    """Raises another exception from the OSError, as frameworks do that have their own."""
    try:
        return reads_all(environ, start_response)
    except OSError as error:
        raise ValueError("the form cannot be parsed") from error


def fails_after_a_broken_body(environ, start_response):
    try:
        return reads_all(environ, start_response)
    except OSError:
        pass
    raise ValueError("of its own")


def no_such_file(environ, start_response):
    environ["wsgi.input"].read()
    open("/no/such/file")


def file_wrapped(environ, start_response):
    """Returns a file of 10 digits from its third byte on, after a buffered read."""
    file = tempfile.NamedTemporaryFile()
    file.write(b"0123456789")
    file.flush()
    file.seek(1)
    file.read(1)
    start_response("200 OK", eval(environ.get("HTTP_X_HEADERS", "[]")))
    return environ["wsgi.file_wrapper"](file)


def bytesio_wrapped(environ, start_response):
    start_response("200 OK", PLAIN)
    return environ["wsgi.file_wrapper"](io.BytesIO(b"0123456789"), 4)


def keeps(environ, start_response):
    KEPT["input"] = environ["wsgi.input"]
    KEPT["start_response"] = start_response
    KEPT["write"] = start_response("200 OK", PLAIN)
    return []


def uses_kept(environ, start_response):
    """Answers with the results of using the objects of an earlier request."""
    results = []
    for use in (
        lambda: KEPT["input"].read(),
        lambda: KEPT["start_response"]("200 OK", []),
        lambda: KEPT["write"](b"late"),
    ):
        try:
            results.append(f"no error: {use()!r}")
        except RuntimeError as error:
            results.append(str(error))
    start_response("200 OK", PLAIN)
    return ["\n".join(results).encode()]


def in_thread(work):
    """Calls work on another thread, and returns its result."""
    results = []
    thread = threading.Thread(target=lambda: results.append(work()))
    thread.start()
    thread.join()
    return results[0]


def other_thread(environ, start_response):
    """Reads, logs, starts the response and writes, each on a thread of its own."""

    def begin():
        environ["wsgi.errors"].write("from another thread\n")
        return start_response("201 Created", PLAIN)

    body = in_thread(environ["wsgi.input"].read)
    write = in_thread(begin)
    in_thread(lambda: write(body))
    return in_thread(lambda: iter([b" returned"]))


def logs(environ, start_response):
    """Writes text on all ways to the log, some of it without a line break at its end."""
    environ["wsgi.errors"].writelines(["one\ntwo ", "three"])
    print("printed")
    sys.stderr.write("unfinished")
    print("x" * 2250)
    print("bell \x07 and \udcff")
    start_response("200 OK", PLAIN)
    return []


def two_threads_log(environ, start_response):
    """Two threads write to one wsgi.errors at the same time: "first 0", "second 0"..."""
    begin = threading.Barrier(2)

    def log(name):
        begin.wait()
        for number in range(2000):
            environ["wsgi.errors"].write(f"{name} {number}\n")

    threads = [threading.Thread(target=log, args=[name]) for name in ("first", "second")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    start_response("200 OK", PLAIN)
    return []


def closed_count(environ, start_response):
    start_response("200 OK", PLAIN)
    return [str(Blocks.closed).encode()]


def no_end(environ, start_response):
    """Returns blocks without an end."""
    KEPT["thread"] = threading.get_ident()
    start_response("200 OK", PLAIN)
    return Blocks(iter(lambda: b"block", None))


def executable(environ, start_response):
    start_response("200 OK", PLAIN)
    return [sys.executable.encode()]


def asks_for_its_client(environ, start_response):
    """Asks on two threads before and after write(), then reads. Prints the results."""
    asked, results = environ["libwsgi.client_disconnected"], []
    KEPT["asked", environ["PATH_INFO"]] = asked  # tests run at the same time

    def attempt(step):
        try:
            results.append(step())
        except OSError as error:
            results.append(str(error))

    write = start_response("200 OK", PLAIN)
    attempt(asked)
    attempt(lambda: write(b"block"))
    attempt(asked)
    thread = threading.Thread(target=lambda: attempt(asked))
    thread.start()
    thread.join()
    attempt(environ["wsgi.input"].readline)
    print("asked:", results)
    return []


def raises_without_a_client(environ, start_response):
    """Raises the value of the expression in X-Raises, once its client is gone."""
    try:
        start_response("200 OK", PLAIN)(b"block")
    except OSError:
        raise eval(environ["HTTP_X_RAISES"], {"RequestTimeout": libwsgi.RequestTimeout}) from None
    return []


def asks_too_late(environ, start_response):
    start_response("200 OK", PLAIN)
    try:
        return [repr(KEPT["asked", environ["PATH_INFO"]]()).encode()]
    except RuntimeError as error:
        return [str(error).encode()]


SEEN = []


def traced(environ, start_response):
    """Evaluates X-Set. Answers with the calls of tracers on this thread since the last request."""
    seen, SEEN[:] = SEEN[:], []
    KEPT["traced"] = threading.get_ident()
    eval(environ.get("HTTP_X_SET", "None"))
    start_response("200 OK", PLAIN)
    return [" ".join(sorted(set(seen))).encode()]


def tracer(frame, event, argument):
    if threading.get_ident() == KEPT["traced"] and frame.f_code is traced.__code__:
        SEEN.append("traced")


def another_tracer(frame, event, argument):
    if threading.get_ident() == KEPT["traced"] and frame.f_code is traced.__code__:
        SEEN.append("traced by another")


def strings_of_environ(environ, start_response):
    """Answers with the strings of environ, one on each line."""
    start_response("200 OK", PLAIN)
    lines = [f"{key}={value}\n" for key, value in environ.items() if isinstance(value, str)]
    return ["".join(lines).encode("latin-1")]
