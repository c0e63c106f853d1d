"""X-Accel-*: an application controls nginx by its response, as it does behind proxy_pass."""

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
def test_a_redirect_to_a_file_sends_the_file(server, way, shape):
    response = follow(server, way, "/files/plain.txt", shape=shape, status="201 Created")
    assert (response.status, response.text) == (200, FILE), "the file answers, not the application"
    assert response.header("Content-Length") == str(len(FILE)), "with the file's length"
    assert response.header("Content-Type") == "text/plain", "with the file's type"
    assert response.header("X-Accel-Redirect") is None, "the client must not see the field"


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
        assert value not in response.all(name), f"nginx must drop {name} of the application"
    assert response.text == FILE, "the body is the file's"


def test_accept_ranges_is_kept_with_a_redirect(server, way):
    response = follow(server, way, "/environ", ["Accept-Ranges", "none"])
    assert response.all("Accept-Ranges") == ["none"], "nginx must keep it, and serve no ranges"


def test_the_query_of_a_redirect_is_the_query_string(server, way):
    environ = environ_of(follow(server, way, "/environ/a%20b?c=d%20e&f"))
    assert environ["PATH_INFO"] == "/environ/a b", "nginx decodes the path"
    assert environ["QUERY_STRING"] == "c=d%20e&f", "nginx does not decode the query"


def test_a_redirect_to_an_encoded_name_finds_the_file(server, way):
    assert follow(server, way, "/files/a%20b.txt").text == "with a space"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_the_method_becomes_get(server, way, method):
    environ = environ_of(follow(server, way, "/environ", method=method, with_body=b"form"))
    assert environ["REQUEST_METHOD"] == "GET", "after a redirect to a path"
    response = follow(server, way, "/files/plain.txt", method=method, with_body=b"form")
    assert (response.status, response.text) == (200, FILE), "also for a file, which allows no POST"


def test_the_method_head_stays_head(server, way):
    response = follow(server, way, "/files/plain.txt", method="HEAD")
    assert (response.status, response.body) == (200, b""), "HEAD must have no body"
    assert response.header("Content-Length") == str(len(FILE)), "HEAD has the length of the file"


@pytest.mark.parametrize("to", ["@named", "@behind"])
def test_a_named_location_gets_the_request_unchanged(server, way, to):
    environ = environ_of(follow(server, way, to, method="POST", with_body=b"form"))
    assert environ["REQUEST_METHOD"] == "POST", "the method stays"
    assert environ["CONTENT_LENGTH"] == "4", "the body stays"
    if to == "@named":
        assert environ["PATH_INFO"] == PATHS[way] + "/", "the path stays"


WRONG = [
    ("/files/missing", 404, "No such file"),
    ("@unknown", 500, "could not find named location"),
    ("/files/../../nginx.conf", 404, "unsafe URI"),
    ("", 404, "unsafe URI"),
]


@pytest.mark.parametrize("to, status, line", WRONG, ids=["missing", "name", "unsafe", "empty"])
def test_a_redirect_that_leads_nowhere_is_an_error(server, way, to, status, line):
    assert follow(server, way, to).status == status
    server.wait_log(line)


def test_a_circle_of_redirects_ends(server):
    assert server.ask("/wsgi/loop").status == 500, "nginx follows ten redirects"
    server.wait_log("internal redirection cycle")
    assert tell(server, "wsgi", body="well").text == "well", "the worker must still answer"


def test_the_first_of_two_redirects_counts(server, way):
    response = follow(server, way, "/files/plain.txt", ["x-accel-redirect", "/files/a%20b.txt"])
    assert response.text == "with a space", "in any case of letters of the name"


@pytest.mark.parametrize("shape", ["pieces", "endless", "file"])
def test_the_application_s_body_is_dropped_and_closed(nginx, shape):
    threads = "" if INLINE else "wsgi_threads 1;"
    server = nginx.prepare(CONF, http=threads + HTTP, files=[("files/plain.txt", FILE)]).start()
    told = {"shape": shape, "body": str(server.prefix / "nginx.conf")}
    with closing(server) as closed:
        for _ in range(3):
            assert follow(server, "wsgi", "/files/plain.txt", **told).text == FILE
        expected = 0 if shape == "file" else 3
        wait_for(lambda: closed() == expected, "close() of each, by the only thread")
    assert not server.log_lines("WSGI0208"), "no client left"


def test_a_redirect_before_the_upload_is_read_keeps_the_body(nginx):
    files = [("files/plain.txt", FILE)]
    conf = CONF.replace("/told.py app;", "/told.py app; wsgi_request_buffering off;")
    server = nginx.prepare(conf, http=HTTP, files=files).start()
    with server.connect() as connection:
        path = redirect("wsgi", "/files/plain.txt")
        for _ in range(3):
            assert connection.ask(path, "POST", body=b"x" * 50_000).text == FILE, "it answers"
    environ = environ_of(follow(server, "wsgi", "@named", method="POST", with_body=b"x" * 50_000))
    assert environ["CONTENT_LENGTH"] == "50000", "the next application has the body"


@pytest.mark.not_inline("without threads a body is read before the application")
def test_a_redirect_in_the_middle_of_an_upload_drops_the_body(nginx):
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
                assert b'"CONTENT_LENGTH": ["str", "0"]' in body, "a part must not look like all"


def test_a_client_that_leaves_a_redirect_closes_nothing_twice(nginx):
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
        assert closed() == 0, "the application ended long before"


def test_conditions_and_ranges_are_those_of_the_file(server, way):
    etag = follow(server, way, "/files/plain.txt").header("ETag")
    same = [("If-None-Match", etag)]
    response = follow(server, way, "/files/plain.txt", with_headers=same)
    assert (response.status, response.body) == (304, b""), "the client has the file already"
    part = [("Range", "bytes=4-7"), ("If-Range", etag)]
    response = follow(server, way, "/files/plain.txt", with_headers=part)
    assert (response.status, response.body) == (206, b"file"), "the client gets a part"


def test_a_subrequest_follows_a_redirect(server):
    assert server.ask("/include").text == "<with a spacewith a space>", "by wsgi and by proxy_pass"


def test_x_accel_limit_rate_sets_the_rate(server, way):
    for sent, shown in (("12345", "12345"), ("0", "0"), ("fast", "0")):
        response = tell(server, way, headers=[TEXT, ["X-Accel-Limit-Rate", sent]])
        assert response.header("X-Rate") == shown, "nginx must take the rate of the response"
        assert response.header("X-Accel-Limit-Rate") is None, "the client must not see the field"
    response = follow(server, way, "/files/plain.txt", ["X-Accel-Limit-Rate", "54321"])
    assert response.header("X-Rate") == "54321", "the rate also holds for a file of a redirect"


@pytest.mark.parametrize("shape", ["list", "pieces"])
def test_x_accel_limit_rate_slows_the_response_down(server, shape):
    headers = [TEXT, ["X-Accel-Limit-Rate", "4000"]]
    begin = time.monotonic()
    response = tell(server, "wsgi", headers=headers, shape=shape, body="slowly ", times=1500)
    assert response.text == "slowly " * 1500, "all of it must arrive"
    assert time.monotonic() - begin > 0.9, "it must take about a second"


def test_x_accel_charset_sets_the_charset(server, way):
    response = tell(server, way, headers=[TEXT, ["X-Accel-Charset", "koi8-r"]])
    assert response.header("Content-Type") == "text/plain; charset=koi8-r", "the type names it"
    assert response.header("X-Accel-Charset") is None, "the client must not see the field"
    headers = [["Content-Type", "text/plain; charset=utf-8"], ["X-Accel-Charset", "koi8-r"]]
    response = tell(server, way, headers=headers, body="\u0430")
    assert response.body == b"\xc1", "nginx recodes, if it has a table for the two charsets"


@pytest.mark.parametrize("name, value", [("X-Accel-Buffering", "no"), ("X-Accel-Expires", "60")])
def test_an_invalid_value_has_no_effect(server, way, name, value):
    response = tell(server, way, headers=[TEXT, [name, value]], shape="pieces")
    assert (response.status, response.text) == (200, "the application")
    assert response.header(name) is None, "the client must not see the field"


def test_x_accel_expires_is_for_a_cache_in_front(server):
    first = server.ask("/cached").text
    assert server.ask("/cached").text == first, "proxy_cache keeps what X-Accel-Expires allows"
    assert ask(server, "wsgi", "/wsgi/count").text != first, "the module itself has no cache"
