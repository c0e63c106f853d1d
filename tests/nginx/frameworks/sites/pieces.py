"""What every site of the tests does in the same way: its stream, its cookies, its sums.

A site is one framework's own idiom for these paths, below wherever it is mounted:

/hello/NAME      NAME as the view gets it, and the address that the framework makes of it
/moved           a redirect to /hello/café, made by the framework
/deep/           a page; /deep is redirected to it by those frameworks that do so
/stream?GATE     "first", then waits at the gate, then "second"; says on stderr how that ended
/served/FILE     a file of FOLDER, in the way that the framework has for files
/json            POST: the JSON that was sent, parsed and back again
/uploads         POST: size and SHA-256 of each file of a form
/limited         POST: a body that is longer than the framework is told to take
/cookies         sets cookies of every kind, and takes one back
/cookies/read    the cookies of the request
/head            a hundred large headers, and the length of X-Large of the request
/nothing         204
/unchanged       304
/async           what asyncio computed
/local           what the framework still has of the request before: nothing
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
    """The pieces of /stream, and how they ended."""
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
    """Takes turns with itself, and starts a process."""
    numbers = await asyncio.gather(*(asyncio.sleep(0, number) for number in range(3)))
    child = await asyncio.create_subprocess_exec("true")
    return {"sum": sum(numbers), "exit": await child.wait()}
