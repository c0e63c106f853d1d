"""Large bodies: ten megabytes that can be checked.

/list            160 pieces of 64 KiB in a list
/one             one piece of ten megabytes
/small           81920 pieces of 128 bytes from a generator
/generator       160 pieces of 64 KiB from a generator
/endless?N       N megabytes from a generator, and counts the pieces
/slower?N        the same, each piece a moment after the one before
/random?N        the same of bytes that cannot be compressed
/few             four pieces of 64 KiB from a generator
/zeros?N         N megabytes of zeros in one piece, which take no memory until they are copied
/made            how many pieces /endless has made
"""

import os
import time

PIECE = bytes(range(256)) * 256
TEXT = [("Content-Type", "application/octet-stream")]
RANDOM = os.urandom(65536)
made = [0]


def endless(megabytes, piece, pause=0):
    made[0] = 0
    for _ in range(megabytes * 16):
        made[0] += 1
        if pause:
            time.sleep(pause)
        # A new object each time, as an application makes it.
        yield piece[:1] + piece[1:]


def app(environ, start_response):
    start_response("200 OK", TEXT)
    path = environ["PATH_INFO"]
    if path == "/list":
        return [PIECE] * 160
    if path == "/one":
        return [PIECE * 160]
    if path == "/small":
        return (PIECE[i : i + 128] for _ in range(160) for i in range(0, 65536, 128))
    if path == "/generator":
        return (PIECE for _ in range(160))
    if path == "/endless":
        return endless(int(environ["QUERY_STRING"]), PIECE)
    if path == "/slower":
        return endless(int(environ["QUERY_STRING"]), PIECE, pause=0.0005)
    if path == "/random":
        return endless(int(environ["QUERY_STRING"]), RANDOM)
    if path == "/few":
        return (PIECE for _ in range(4))
    if path == "/zeros":
        return [bytes(int(environ["QUERY_STRING"]) << 20)]
    return [str(made[0]).encode()]
