"""Pages for nginx's filters, and parts for pages of nginx.

/say?TEXT        TEXT in one piece               /type/TYPE?TEXT  the same, as that type
/html?TEXT       TEXT, one byte in each piece
/say/TEXT /html/TEXT  the same, for requests that have no query
/zipped?TEXT     TEXT, compressed by the application
/fields?TEXT     TEXT with ETag, Last-Modified, Expires and Cache-Control of its own
/number          how many requests for /number came before this one
/echo            the method, the length that is stated, and the body
/twice           the method and the body, 100 times, after all of it was read
/status/NUMBER   that status
/nothing         a head with Content-Length: 0
/raise           an exception
/file?NAME       that file, by wsgi.file_wrapper
/stop?GATE       "before " and 1 KB, then " after" once the gate is open
/stop/TEXT?GATE  the same with TEXT at its beginning
/kept            the words of /keep?WORD so far: what an application does after its head was sent
"""

import gzip
import itertools
from urllib.parse import unquote_to_bytes

HTML = ("Content-Type", "text/html")
LAST_MODIFIED = "Thu, 01 Jan 2026 00:00:00 GMT"
numbers = itertools.count()
kept = []

OWN_FIELDS = [
    HTML,
    ("ETag", '"own"'),
    ("Last-Modified", LAST_MODIFIED),
    ("Expires", LAST_MODIFIED),
    ("Cache-Control", "max-age=1"),
    ("Cache-Control", "private"),
]


def say(environ, rest, text):
    return [HTML], [text or rest.encode()]


def typed(environ, rest, text):
    return [("Content-Type", rest)], [text]


def html(environ, rest, text):
    text = text or rest.encode()
    return [HTML], (text[n : n + 1] for n in range(len(text)))


def zipped(environ, rest, text):
    return [HTML, ("Content-Encoding", "gzip")], [gzip.compress(text)]


def fields(environ, rest, text):
    return OWN_FIELDS, [text]


def number(environ, rest, text):
    headers = [HTML, ("Set-Cookie", "a=1")] if rest == "cookie" else [HTML]
    return headers, [b"%d" % next(numbers)]


def echo(environ, rest, text):
    body = environ["wsgi.input"].read()
    words = f"{environ['REQUEST_METHOD']} {environ.get('CONTENT_LENGTH')} "
    return [HTML], [words.encode() + body]


def twice(environ, rest, text):
    headers, pieces = echo(environ, rest, text)
    return headers, iter(pieces * 100)


def nothing(environ, rest, text):
    return [HTML, ("Content-Length", "0")], []


def fail(environ, rest, text):
    raise ValueError("on purpose")


def send_file(environ, rest, text):
    return [HTML], environ["wsgi.file_wrapper"](open(text, "rb"))


def stop(environ, rest, gate):
    def pieces():
        yield rest.encode() or b"before " + b"-" * 1024
        with open(gate, "rb") as pipe:
            pipe.read()
        yield b" after"

    return [HTML], pieces()


def keep(environ, rest, word):
    def pieces():
        yield b"first"
        yield b"second"
        kept.append(word)

    return [HTML], pieces()


def show_kept(environ, rest, text):
    return [HTML], [b" ".join(kept)]


PAGES = {
    "say": say,
    "type": typed,
    "html": html,
    "zipped": zipped,
    "fields": fields,
    "number": number,
    "echo": echo,
    "twice": twice,
    "nothing": nothing,
    "raise": fail,
    "file": send_file,
    "stop": stop,
    "keep": keep,
    "kept": show_kept,
}


def app(environ, start_response):
    name, _, rest = environ["PATH_INFO"].strip("/").partition("/")
    text = unquote_to_bytes(environ["QUERY_STRING"])
    if name == "status":
        start_response(f"{rest} As Told", [HTML, ("X-Status", rest)])
        return [b"status ", rest.encode()]
    headers, body = PAGES[name](environ, rest, text)
    start_response("200 OK", headers)
    return body
