"""An application that goes on after it has given all of its Content-Length."""

PLAIN = [("Content-Type", "text/plain")]


def goes_on_after_all(environ, start_response):
    """Gives all of its Content-Length, by write() or as a block, and goes on after that."""
    write = start_response("200 OK", [*PLAIN, ("Content-Length", "5")])
    if environ["PATH_INFO"] == "/written":
        write(b"whole")
    else:
        yield b"whole"
    yield b""
    print("went on")
    yield b"more" if environ["PATH_INFO"] == "/more" else b""
