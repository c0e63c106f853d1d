"""Large bodies: ten megabytes that a test can check.

/list            160 pieces of 64 KiB in a list
/one             one piece of ten megabytes
/small           81920 pieces of 128 bytes from a generator
/generator       160 pieces of 64 KiB from a generator
/endless?N       N megabytes from a generator, and counts the pieces
/slower?N        the same, with a pause before each piece
/random?N        the same, of bytes that cannot be compressed
/written         160 pieces of 64 KiB by write()
/broken          the same as /generator, and raises an exception at the end
/endless-no?N    as /endless, with X-Accel-Buffering: no; /endless-yes?N with yes
/ended           whether the last of these has given all of its pieces
/asked?PATH      how often clients requested /PATH
/few             four pieces of 64 KiB from a generator
/zeros?N         N megabytes of zeros in one piece, which use no memory until they are copied
/wide?N          N pieces of eight megabytes from a generator
/made            how many pieces /endless has made
"""

import collections
import os
import time

PIECE = bytes(range(256)) * 256
TEXT = [("Content-Type", "application/octet-stream")]
RANDOM = os.urandom(65536)
made = [0]
ended = [False]
asked = collections.Counter()


def pieces(iterable, fails=False):
    yield from iterable
    ended[0] = True
    if fails:
        raise ValueError("after the last piece")


def written(write):
    for _ in range(160):
        write(PIECE)
    return pieces([])


def endless(megabytes, piece, pause=0):
    made[0] = 0
    for _ in range(megabytes * 16):
        made[0] += 1
        if pause:
            time.sleep(pause)
        # A new object each time, as an application makes it.
        yield piece[:1] + piece[1:]


def app(environ, start_response):
    path = environ["PATH_INFO"]
    says = [("X-Accel-Buffering", path[9:])] if path.startswith("/endless-") else []
    write = start_response("200 OK", TEXT + says)
    asked[path] += 1
    if path == "/ended":
        return [str(ended[0]).encode()]
    if path == "/asked":
        return [str(asked["/" + environ["QUERY_STRING"]]).encode()]
    if path == "/made":
        return [str(made[0]).encode()]
    body = large(path, environ, write)
    ended[0] = isinstance(body, list)
    return body


def large(path, environ, write):
    if path == "/list":
        return [PIECE] * 160
    if path == "/one":
        return [PIECE * 160]
    if path == "/small":
        return pieces(PIECE[i : i + 128] for _ in range(160) for i in range(0, 65536, 128))
    if path in ("/generator", "/broken"):
        return pieces((PIECE for _ in range(160)), fails=path == "/broken")
    if path == "/written":
        return written(write)
    if path.startswith("/endless"):
        return pieces(endless(int(environ["QUERY_STRING"]), PIECE))
    if path == "/slower":
        return endless(int(environ["QUERY_STRING"]), PIECE, pause=0.0005)
    if path == "/random":
        return endless(int(environ["QUERY_STRING"]), RANDOM)
    if path == "/wide":
        count = int(environ["QUERY_STRING"])
        return pieces(bytes([65 + i % 26]) * (8 << 20) for i in range(count))
    if path == "/few":
        return pieces(PIECE for _ in range(4))
    if path == "/zeros":
        return [bytes(int(environ["QUERY_STRING"]) << 20)]
    raise KeyError(path)
