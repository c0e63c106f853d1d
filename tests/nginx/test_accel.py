"""X-Accel-*: what an application asks of nginx in its response, and gets as it would from proxy_pass."""

import time

import pytest

from h2client import H2Connection
from server import INLINE, wait_for
from telling import BEHIND, PATHS, TEXT, WAYS, ask, closing, environ_of, locations, target, tell

pytestmark = pytest.mark.not_validated("the validator refuses what the applications answer")

FILE = "the file\n" * 1000
CONF = (
    locations()
    + """
    add_header X-Rate $limit_rate always;
    location /files/ { internal; alias @PREFIX@/files/; }
    location /environ { internal; wsgi_app @APPS@/environ.py app; }
    location @named { wsgi_app @APPS@/environ.py app; }
    location @behind { rewrite ^ /environ break; proxy_pass http://127.0.0.1:@OTHER_PORT@; }
    location /include { ssi on; default_type text/html; alias @PREFIX@/include; }
    location /cached {
        proxy_pass http://127.0.0.1:@OTHER_PORT@/count; proxy_cache responses;
        proxy_cache_key key;
    }
"""
)
HTTP = (
    """
    charset_map koi8-r utf-8 { C1 D0B0; }
    proxy_cache_path @PREFIX@/cache keys_zone=responses:1m;
"""
    + BEHIND
)


@pytest.fixture(scope="module")
def server(module_nginx):
    files = [("files/plain.txt", FILE), ("files/a b.txt", "with a space"), ("files/image.png", "")]
    prepared = module_nginx.prepare(CONF, http=HTTP, files=files)
    includes = "".join(f'<!--# include virtual="{redirect(way)}" -->' for way in ("wsgi", "proxy"))
    prepared.write("include", f"<{includes}>")
    return prepared.start()


@pytest.fixture(params=WAYS)
def way(request):
    return request.param


def redirect(way, to="/files/a%20b.txt"):
    return target(way, headers=[TEXT, ["X-Accel-Redirect", to]])


def follow(server, way, to, *headers, method="GET", with_headers=(), with_body=None, **told):
    headers = [*headers, ["X-Accel-Redirect", to]]
    how = {"method": method, "with_headers": with_headers, "with_body": with_body}
    return tell(server, way, headers=headers, **how, **told)


@pytest.mark.parametrize("shape", ["list", "pieces", "written"])
def test_redirect_to_a_file(server, way, shape):
    response = follow(server, way, "/files/plain.txt", shape=shape, status="201 Created")
    assert (response.status, response.text) == (200, FILE), "the file answers, not the application"
    assert response.header("Content-Length") == str(len(FILE)), "with its length"
    assert response.header("Content-Type") == "text/plain", "and its type"
    assert response.header("X-Accel-Redirect") is None, "the client does not learn of it"


def test_headers_that_go_with_a_redirect(server, way):
    kept = [
        ["Content-Type", "text/x-kept; charset=koi8-r"],
        ["Set-Cookie", "a=1"],
        ["Set-Cookie", "b=2; Path=/"],
        ["Content-Disposition", 'attachment; filename="x"'],
        ["Cache-Control", "no-store"],
        ["Cache-Control", "private"],
        ["Expires", "Thu, 01 Jan 1970 00:00:00 GMT"],
    ]
    lost = [["X-Other", "1"], ["ETag", '"own"'], ["Content-Language", "de"], ["Vary", "Cookie"]]
    lost += [["Last-Modified", "Thu, 01 Jan 1970 00:00:00 GMT"], ["Content-Encoding", "br"]]
    response = follow(server, way, "/files/plain.txt", *lost, *kept)
    for name in {name for name, _ in kept}:
        expected = [value for other, value in kept if other == name]
        assert response.all(name) == expected, f"{name} is kept"
    for name, value in lost:
        assert value not in response.all(name), f"{name} is the application's and goes with it"
    assert response.text == FILE, "the body is the file's"


def test_accept_ranges_goes_with_a_redirect(server, way):
    response = follow(server, way, "/environ", ["Accept-Ranges", "none"])
    assert response.all("Accept-Ranges") == ["none"], "it is kept, where nginx serves no ranges"


def test_redirect_with_a_query(server, way):
    environ = environ_of(follow(server, way, "/environ/a%20b?c=d%20e&f"))
    assert environ["PATH_INFO"] == "/environ/a b", "the path is decoded"
    assert environ["QUERY_STRING"] == "c=d%20e&f", "the query is not"


def test_redirect_to_a_name_that_is_encoded(server, way):
    assert follow(server, way, "/files/a%20b.txt").text == "with a space"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_method_becomes_get(server, way, method):
    environ = environ_of(follow(server, way, "/environ", method=method, with_body=b"form"))
    assert environ["REQUEST_METHOD"] == "GET", "a redirect asks for a page"
    response = follow(server, way, "/files/plain.txt", method=method, with_body=b"form")
    assert (response.status, response.text) == (200, FILE), "also for a file, which takes no POST"


def test_head_stays_head(server, way):
    response = follow(server, way, "/files/plain.txt", method="HEAD")
    assert (response.status, response.body) == (200, b""), "there is no body"
    assert response.header("Content-Length") == str(len(FILE)), "but its length"


@pytest.mark.parametrize("to", ["@named", "@behind"])
def test_named_location(server, way, to):
    environ = environ_of(follow(server, way, to, method="POST", with_body=b"form"))
    assert environ["REQUEST_METHOD"] == "POST", "the request is as it was"
    assert environ["CONTENT_LENGTH"] == "4", "with its body"
    if to == "@named":
        assert environ["PATH_INFO"] == PATHS[way] + "/", "and its path"


WRONG = [
    ("/files/missing", 404, "No such file"),
    ("@unknown", 500, "could not find named location"),
    ("/files/../../nginx.conf", 404, "unsafe URI"),
    ("", 404, "unsafe URI"),
]


@pytest.mark.parametrize("to, status, line", WRONG, ids=["missing", "name", "unsafe", "empty"])
def test_where_a_redirect_does_not_lead(server, way, to, status, line):
    assert follow(server, way, to).status == status
    server.wait_log(line)


def test_redirect_in_a_circle(server):
    assert server.ask("/wsgi/loop").status == 500, "nginx goes round ten times"
    server.wait_log("internal redirection cycle")
    assert tell(server, "wsgi", body="well").text == "well", "and nothing is broken by it"


def test_first_of_two_redirects(server, way):
    response = follow(server, way, "/files/plain.txt", ["x-accel-redirect", "/files/a%20b.txt"])
    assert response.text == "with a space", "the first counts, in whatever case its name is"


@pytest.mark.parametrize("shape", ["pieces", "endless", "file"])
def test_body_is_dropped_and_closed(nginx, shape):
    threads = "" if INLINE else "wsgi_threads 1;"
    server = nginx.prepare(CONF, http=threads + HTTP, files=[("files/plain.txt", FILE)]).start()
    told = {"shape": shape, "body": str(server.prefix / "nginx.conf")}
    with closing(server) as closed:
        for _ in range(3):
            assert follow(server, "wsgi", "/files/plain.txt", **told).text == FILE
        expected = 0 if shape == "file" else 3
        wait_for(lambda: closed() == expected, "close() of each, by the one thread that there is")
    assert not server.log_lines("WSGI0208"), "no client has left"


def test_redirect_before_an_upload_is_read(nginx):
    files = [("files/plain.txt", FILE)]
    conf = CONF.replace("/told.py app;", "/told.py app; wsgi_request_buffering off;")
    server = nginx.prepare(conf, http=HTTP, files=files).start()
    with server.connect() as connection:
        path = redirect("wsgi", "/files/plain.txt")
        for _ in range(3):
            assert connection.ask(path, "POST", body=b"x" * 50_000).text == FILE, "it answers"
    environ = environ_of(follow(server, "wsgi", "@named", method="POST", with_body=b"x" * 50_000))
    assert environ["CONTENT_LENGTH"] == "50000", "who comes next has the body"


@pytest.mark.not_inline("without threads a body is read before the application")
def test_redirect_in_the_middle_of_an_upload(nginx):
    conf = CONF.replace("/told.py app;", "/told.py app; wsgi_request_buffering off;")
    server = nginx.prepare(conf, http=HTTP, files=[("files/plain.txt", FILE)]).start()
    length = [("content-length", "300000")]
    for to in ("/files/plain.txt", "@named"):
        path = target("wsgi", headers=[TEXT, ["X-Accel-Redirect", to]], read=10)
        with server.connect() as connection:
            connection.send_request(path, method="POST", headers=length)
            connection.send(b"x" * 1000)
            bodies = [connection.read_response().body]
        with H2Connection(server.h2_port) as connection:
            stream = connection.send(path, method="POST", headers=length, open_body=True)
            connection.send_piece(stream, b"x" * 1000)
            bodies.append(bytes(connection.response(stream).body))
        for body in bodies:
            if to != "@named":
                assert body == FILE.encode(), "the file answers, over HTTP/1 and HTTP/2"
            else:
                assert b'"CONTENT_LENGTH": ["str", "0"]' in body, "a part is not taken for all"


def test_client_leaves_a_redirect(nginx):
    server = nginx.prepare(CONF, http=HTTP)
    (server.prefix / "files").mkdir()
    with open(server.prefix / "files" / "sparse", "wb") as file:
        file.truncate(1 << 30)
    server.start()
    with closing(server) as closed:
        with server.connect(receive_buffer=4096) as leaving:
            leaving.send_request(redirect("wsgi", "/files/sparse"))
            leaving.read_head()
        server.wait_access("GET /wsgi/?")
        assert closed() == 0, "the application has long been done"


def test_conditions_and_ranges_are_those_of_the_file(server, way):
    etag = follow(server, way, "/files/plain.txt").header("ETag")
    same = [("If-None-Match", etag)]
    response = follow(server, way, "/files/plain.txt", with_headers=same)
    assert (response.status, response.body) == (304, b""), "the client has it already"
    part = [("Range", "bytes=4-7"), ("If-Range", etag)]
    response = follow(server, way, "/files/plain.txt", with_headers=part)
    assert (response.status, response.body) == (206, b"file"), "and may have a part"


def test_redirect_in_a_subrequest(server):
    assert server.ask("/include").text == "<with a spacewith a space>", "by wsgi and by proxy_pass"


def test_limit_rate(server, way):
    for sent, shown in (("12345", "12345"), ("0", "0"), ("fast", "0")):
        response = tell(server, way, headers=[TEXT, ["X-Accel-Limit-Rate", sent]])
        assert response.header("X-Rate") == shown, "the rate is that of the response"
        assert response.header("X-Accel-Limit-Rate") is None, "and is nginx's business"
    response = follow(server, way, "/files/plain.txt", ["X-Accel-Limit-Rate", "54321"])
    assert response.header("X-Rate") == "54321", "it holds for the file that answers instead"


@pytest.mark.parametrize("shape", ["list", "pieces"])
def test_limit_rate_slows_down(server, shape):
    headers = [TEXT, ["X-Accel-Limit-Rate", "4000"]]
    begin = time.monotonic()
    response = tell(server, "wsgi", headers=headers, shape=shape, body="slowly ", times=1500)
    assert response.text == "slowly " * 1500, "all of it comes"
    assert time.monotonic() - begin > 0.9, "but not at once"


def test_charset(server, way):
    response = tell(server, way, headers=[TEXT, ["X-Accel-Charset", "koi8-r"]])
    assert response.header("Content-Type") == "text/plain; charset=koi8-r", "it names the charset"
    assert response.header("X-Accel-Charset") is None, "and is nginx's business"
    headers = [["Content-Type", "text/plain; charset=utf-8"], ["X-Accel-Charset", "koi8-r"]]
    response = tell(server, way, headers=headers, body="\u0430")
    assert response.body == b"\xc1", "nginx recodes, where it has a table for it"


@pytest.mark.parametrize("name, value", [("X-Accel-Buffering", "no"), ("X-Accel-Expires", "60")])
def test_what_has_no_effect(server, way, name, value):
    response = tell(server, way, headers=[TEXT, [name, value]], shape="pieces")
    assert (response.status, response.text) == (200, "the application")
    assert response.header(name) is None, "the client does not see it"


def test_expires_for_a_cache_in_front(server):
    first = server.ask("/cached").text
    assert server.ask("/cached").text == first, "proxy_cache keeps what X-Accel-Expires allows"
    assert ask(server, "wsgi", "/wsgi/count").text != first, "the application has no cache"
