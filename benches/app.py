"""The applications that are measured, by every instrument of benches/ and on every server.

hello_world         13 bytes, as PEP 3333 begins
from_environ        1 KB made of the request's 12 headers
one_block           1 MiB, one bytes
blocks              1 MiB, a generator of 64 blocks
upload              reads the whole body at once, and says how long it was
"""

HEADERS = """
    HTTP_HOST HTTP_USER_AGENT HTTP_ACCEPT HTTP_ACCEPT_LANGUAGE HTTP_ACCEPT_ENCODING HTTP_REFERER
    HTTP_COOKIE HTTP_CACHE_CONTROL HTTP_SEC_FETCH_DEST HTTP_SEC_FETCH_MODE HTTP_SEC_FETCH_SITE
    HTTP_X_REQUEST_ID
""".split()
PLAIN = [("Content-Type", "text/plain")]
MEGABYTE = 1 << 20
BLOCK = b"0123456789abcde\n" * 1024
WHOLE = BLOCK * (MEGABYTE // len(BLOCK))


def hello_world(environ, start_response):
    body = b"Hello world!\n"
    start_response("200 OK", [("Content-type", "text/plain")])
    return [body]


def from_environ(environ, start_response):
    lines = [f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"]
    lines += [f"{name}: {environ[name]}" for name in HEADERS]
    body = "\n".join(lines).ljust(1024).encode("latin-1")
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "1024")])
    return [body]


def one_block(environ, start_response):
    start_response("200 OK", PLAIN[:])
    return [WHOLE]


def blocks(environ, start_response):
    start_response("200 OK", [*PLAIN, ("Content-Length", str(MEGABYTE))])
    return (BLOCK for _ in range(MEGABYTE // len(BLOCK)))


def upload(environ, start_response):
    body = b"%d bytes\n" % len(environ["wsgi.input"].read())
    start_response("200 OK", [*PLAIN, ("Content-Length", str(len(body)))])
    return [body]
