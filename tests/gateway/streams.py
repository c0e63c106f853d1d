"""Applications that use streams as programs do: sys.stdout, sys.stderr, wsgi.input, wsgi.errors."""

import codecs
import contextlib
import csv
import email
import gc
import io
import logging
import os
import sys
import tempfile
import weakref
from xml.sax.saxutils import XMLGenerator

KEPT = {}


def answer(start_response, value):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [repr(value).encode()]


# Streams of io to compare with.
FILE = open(os.devnull, "r+b", buffering=0)
TEXT = open(os.devnull, "w")


def originals(environ):
    return [
        (sys.stdout, TEXT),
        (sys.stderr.buffer, io.BufferedWriter(FILE)),
        (sys.stdout.buffer.raw, FILE),
        (environ["wsgi.errors"], TEXT),
        (environ["wsgi.errors"].buffer, io.BufferedWriter(FILE)),
        (environ["wsgi.input"], io.BufferedReader(FILE)),
    ]


def attributes(environ, start_response):
    """Answers with the attributes of io's streams that are missing, or are not methods as there."""
    missing = []
    for stream, original in originals(environ):
        for name in set(dir(original)) - {"closefd"}:
            if name.startswith("_") and not name.startswith("__"):
                continue
            if stream is environ["wsgi.input"] and name == "raw":
                continue  # there is no raw stream below it
            if not hasattr(stream, name):
                missing.append(f"{stream!r} has no {name}")
            elif callable(getattr(original, name)) != callable(getattr(stream, name)):
                missing.append(f"{name} of {stream!r}")
        kinds = [io.RawIOBase, io.BufferedIOBase, io.TextIOBase]
        if [isinstance(stream, kind) for kind in kinds] != [isinstance(original, kind) for kind in kinds]:
            missing.append(f"the kind of {stream!r}")
    return answer(start_response, missing)


def common(stream):
    """Does what works on each stream of io."""
    stream.note = "an attribute"
    assert weakref.ref(stream)() is stream and stream.__dict__["note"] == "an attribute"
    with stream as entered:
        assert entered is stream
    with contextlib.closing(stream):
        pass
    stream.flush()
    assert not stream.closed and not stream.isatty() and hash(stream) is not None
    assert repr(stream)


def bytes_to_log(stream):
    common(stream)
    assert stream.writable() and not stream.readable() and not stream.seekable()
    assert stream.fileno() == 2 and stream.write(b"bytes\n") == 6
    stream.writelines([b"one\n", bytearray(b"two\n"), memoryview(b"three\n")])
    for wrong in (stream.read, stream.tell, lambda: stream.seek(0), lambda: stream.readinto(bytearray(1))):
        raises(io.UnsupportedOperation, wrong)
    raises(TypeError, lambda: stream.write("text"))


def text_to_log(stream):
    common(stream)
    assert stream.encoding == "utf-8" and stream.errors == "backslashreplace" and stream.mode == "w"
    assert stream.writable() and not stream.readable() and not stream.seekable()
    assert stream.fileno() == 2 and stream.write("caf\xe9\n") == 5
    stream.writelines(["four\n", "five\n"])
    stream.reconfigure(line_buffering=True)
    raises(TypeError, lambda: stream.write(b"bytes"))
    raises(io.UnsupportedOperation, stream.read)
    raises(io.UnsupportedOperation, stream.tell)
    wrapped = io.TextIOWrapper(stream.buffer, encoding="utf-8", line_buffering=True)
    print("wrapped", file=wrapped)
    print("detached", file=io.TextIOWrapper(stream.detach(), encoding="utf-8", line_buffering=True))
    del wrapped
    gc.collect()
    codecs.getwriter("utf-8")(stream.buffer).write("codecs\n")
    xml = XMLGenerator(stream, "utf-8")
    xml.startElement("element", {})
    xml.endElement("element")
    stream.write("\n")
    handler = logging.StreamHandler(stream)
    handler.emit(logging.LogRecord("name", logging.ERROR, "file", 1, "a record", (), None))
    csv.writer(stream).writerow(["a", "row"])
    with contextlib.redirect_stdout(stream):
        print("redirected")
    print("printed", file=stream)


def raises(kind, step):
    try:
        step()
    except kind:
        return
    raise AssertionError(f"{step} raises no {kind}")


def logs(environ, start_response):
    """Uses all streams to the log as programs do."""
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, environ["wsgi.errors"]):
        text_to_log(stream)
        bytes_to_log(stream.buffer)
    for stream in (sys.stdout.buffer.raw, sys.stderr.buffer.detach()):
        bytes_to_log(stream)
    return answer(start_response, "done")


def uses_stdin(environ, start_response):
    """Reads standard input, and closes it in each possible way."""
    found = [sys.stdin.read(), sys.stdin.buffer.read(), list(sys.stdin)]
    for close in (
        lambda: exit(),
        lambda: sys.stdin.close(),
        lambda: sys.stdin.buffer.close(),
        lambda: sys.stdin.__enter__().__exit__(None, None, None),
        lambda: io.TextIOWrapper(sys.stdin.buffer, "ascii").close(),
        lambda: io.TextIOWrapper(sys.stdin.detach(), "ascii"),
        lambda: codecs.getreader("utf-8")(sys.stdin.buffer).close(),
        lambda: sys.stdin.buffer.detach(),
    ):
        with contextlib.suppress(SystemExit):
            close()
        found += [sys.stdin.closed, sys.__stdin__.read(), sys.stdin.name]
        with contextlib.suppress(EOFError):
            found.append(input())
    wrong = [it for it in found if it not in ("", b"", [], False, "<stdin>")]
    return answer(start_response, wrong)


def same(environ, start_response):
    """Compares the results of many steps on wsgi.input and on a BytesIO of the same bytes."""
    whole = environ["wsgi.input"].read()
    environ["wsgi.input"].seek(0)
    here, there = results_of(environ["wsgi.input"]), results_of(io.BytesIO(whole))
    return answer(start_response, "the same" if here == there else (here, there))


def results_of(stream):
    results = []
    for step in (
        lambda: (stream.tell(), stream.read(5), stream.tell()),
        lambda: (stream.seek(2), stream.read(3), stream.tell()),
        lambda: (stream.readline(), stream.tell(), stream.seek(1, 1), stream.tell(), stream.read(2)),
        lambda: (stream.seek(-3, 2), stream.tell(), stream.read(), stream.read(), stream.tell()),
        lambda: (stream.seek(0, 2), stream.tell(), stream.readline(), stream.read1(3)),
        lambda: (stream.seek(10**6), stream.tell(), stream.read(), stream.readline(), stream.tell()),
        lambda: (stream.seek(0), list(stream), stream.tell()),
        lambda: (stream.seek(1), next(stream), stream.tell(), stream.readlines()),
        lambda: stream.seek(-1),
        lambda: (stream.seek(-100, 2), stream.seek(2), stream.seek(-3, 1)),
        lambda: (stream.tell(), stream.seek(0, 3)),
        lambda: (stream.seekable(), stream.readable()),
        lambda: (stream.seek(3), stream.readinto(buffer := bytearray(4)), bytes(buffer)),
        lambda: (stream.seek(4), stream.readinto1(buffer := bytearray(2)), bytes(buffer)),
    ):
        try:
            results.append(step())
        except (ValueError, StopIteration) as error:
            results.append(type(error).__name__)
    return results


def only_once(environ, start_response):
    """Reads a body that arrives during the reads."""
    body = environ["wsgi.input"]
    seekable = body.seekable()
    for step in (body.tell, lambda: body.seek(0), body.fileno, body.truncate):
        raises(io.UnsupportedOperation, step)
    return answer(start_response, (seekable, body.peek()[:3], body.read()))


def wraps_input(environ, start_response):
    """Reads a message as email does, and then in other ways."""
    body = environ["wsgi.input"]
    common(body)
    message = email.message_from_binary_file(body)
    body.seek(0)
    text = io.TextIOWrapper(body, encoding="utf-8")
    lines = text.read().splitlines()
    text.detach()
    body.seek(0)
    with io.BufferedReader(body) as buffered:
        first = buffered.readline()
    body.seek(0)
    peeked = body.peek()[:4]
    with tempfile.TemporaryFile() as file:
        file.write(body.read())
    return answer(start_response, (message["Subject"], lines[-1], first, peeked, body.read()))


def leaves_something(environ, start_response):
    """Leaves something on the streams. Answers with what the request before has left on them."""
    found = []
    for name in ("wsgi.input", "wsgi.errors"):
        stream = environ[name]
        found += [KEPT.get(name) and KEPT[name]() is stream, getattr(stream, "left", None)]
        found.append(getattr(stream.read if name == "wsgi.input" else stream.write, "__name__", "?"))
        if environ["PATH_INFO"] == "/weak":
            KEPT[name] = weakref.ref(stream)
        elif environ["PATH_INFO"] == "/attribute":
            stream.left = "secret"
        elif environ["PATH_INFO"] == "/method":
            stream.read = stream.write = lambda *_: b"of the last request"
        elif environ["PATH_INFO"] == "/inner":
            KEPT[name] = getattr(stream, "_reader", None) or stream._log
    return answer(start_response, found)


def uses_inner(environ, start_response):
    """Uses the inner object of an earlier request."""
    try:
        return answer(start_response, KEPT["wsgi.input"].read())
    except RuntimeError as error:
        return answer(start_response, str(error))
