"""The common parts of the tests' sites: streams, cookies, sums.

Each site has these paths in its framework's own style, below the site's prefix:

/hello/NAME      NAME as the view gets it, and the address that the framework makes of it
/moved           a redirect to /hello/café, made by the framework
/deep/           a page; some frameworks redirect /deep to it
/stream?GATE     "first", then waits at the gate, then "second"; prints on stderr how it ended
/served/FILE     a file of FOLDER, by the framework's function for files
/json            POST: parses JSON, and returns it
/uploads         POST: size and SHA-256 of each file of a form
/limited         POST: a body above the framework's limit
/cookies         sets cookies of every kind, and deletes one
/cookies/read    the cookies of the request
/head            a hundred large headers, and the length of X-Large of the request
/nothing         204
/unchanged       304
/async           a result of asyncio
/local           what the framework still has of an earlier request: nothing
/noted           writes to wsgi.errors, and to the framework's own log
/fails           raises RuntimeError
"""

import asyncio
import hashlib
import os
import sys
from pathlib import Path
from urllib.parse import unquote

FOLDER = Path(__file__).parent
DEBUG = "SITE_DEBUG" in os.environ
LIMIT = 1000
LONG = "x" * 3500
UTF8 = "\u65e5\u672c"
QUOTED = 'a "b"; c, d\\'
HEADERS = [(f"X-Large-{number}", "y" * 200) for number in range(100)]


def pieces(who, query):
    """The pieces of /stream. They print how they ended."""
    try:
        yield b"first"
        with open(unquote(query), "rb") as gate:
            gate.read()
        yield b"second"
    except GeneratorExit:
        print(f"{who}: the stream was left", file=sys.stderr)
        raise
    print(f"{who}: the stream was read to its end", file=sys.stderr)


def sums(files):
    """Size and digest of each (name, file) pair."""
    answer = {}
    for name, file in files:
        digest, size = hashlib.sha256(), 0
        while block := file.read(1 << 16):
            digest.update(block)
            size += len(block)
        answer[name] = [size, digest.hexdigest()]
    return answer


async def computed():
    """Awaits, and starts a process."""
    numbers = await asyncio.gather(*(asyncio.sleep(0, number) for number in range(3)))
    child = await asyncio.create_subprocess_exec("true")
    return {"sum": sum(numbers), "exit": await child.wait()}
