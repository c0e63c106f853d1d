"""Applications that cause signals."""

import os
import resource
import subprocess
import tempfile


def answer(start_response, text):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [text.encode()]


def hello(environ, start_response):
    return answer(start_response, "hello")


def pipe(environ, start_response):
    """Writes to a pipe that has no reader."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        os.write(writer, b"a")
    except BrokenPipeError:
        return answer(start_response, "BrokenPipeError")
    finally:
        os.close(writer)
    return answer(start_response, "written")


def communicate(environ, start_response):
    """Writes to a child that has ended: communicate() must not raise."""
    child = subprocess.Popen(["true"], stdin=subprocess.PIPE)
    child.wait()
    child.communicate(b"a" * 100)
    return answer(start_response, "came back")


def large_file(environ, start_response):
    """Writes to a file beyond the limit of its size."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, resource.RLIM_INFINITY))
    with tempfile.TemporaryFile(buffering=0) as file:
        try:
            file.write(b"a" * 10)
            file.write(b"a")
        except OSError as error:
            return answer(start_response, os.strerror(error.errno))
    return answer(start_response, "written")


def child(environ, start_response):
    """The signals that a child ignores."""
    command = ["grep", "SigIgn", "/proc/self/status"]
    ignored = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return answer(start_response, ignored.split()[1].lstrip("0"))
