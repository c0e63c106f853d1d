"""An application behind nginx's proxy and its cache, in the same nginx."""

import json
import zlib

import pytest

from server import wait_for

pytestmark = pytest.mark.not_validated("the validator refuses what the applications answer")

CONF = """
    location / { proxy_pass http://127.0.0.1:@OTHER_PORT@; @FORWARDED@ }
    location /unbuffered/ {
        proxy_pass http://127.0.0.1:@OTHER_PORT@/; proxy_buffering off;
        proxy_request_buffering off; proxy_http_version 1.1;
    }
    location /socket/ { proxy_pass http://unix:@PREFIX@/back.sock:/; @FORWARDED@ }
    location /cached/ {
        proxy_pass http://127.0.0.1:@OTHER_PORT@/; proxy_cache cache; proxy_cache_valid 200 404 1h;
        proxy_cache_key $request_method$request_uri; proxy_http_version 1.1;
        add_header X-Cache $upstream_cache_status always;
        proxy_cache_use_stale error timeout http_500; proxy_cache_lock on;
        proxy_cache_background_update on; proxy_cache_bypass $arg_fresh;
    }
    location /gzipped/ {
        gzip on; gzip_types text/plain; gzip_min_length 1; gzip_proxied any;
        proxy_pass http://127.0.0.1:@OTHER_PORT@/;
    }
    location /intercepted/ {
        proxy_pass http://127.0.0.1:@OTHER_PORT@/; proxy_intercept_errors on;
        error_page 404 500 @own;
    }
    location @own { rewrite ^ /echo break; wsgi_app @APPS@/pages.py app; }
    location /copied/ { mirror /copy; proxy_pass http://127.0.0.1:@OTHER_PORT@/; }
    location = /copy { internal; wsgi_app @PREFIX@/copy.py app; }
    location = /copies { wsgi_app @PREFIX@/copy.py show; }
"""
HTTP = """
    proxy_cache_path @PREFIX@/cache keys_zone=cache:1m;
    server {
        listen 127.0.0.1:@OTHER_PORT@; listen unix:@PREFIX@/back.sock; server_name back.test;
        set_real_ip_from 127.0.0.1; set_real_ip_from unix:;
        location / { wsgi_app @APPS@/pages.py app; }
        location /environ { wsgi_app @APPS@/environ.py app; @SCHEME@ }
        location /wait/ { wsgi_app @APPS@/wait.py app; wsgi_script_name /wait; }
        location /errors/ { wsgi_app @APPS@/errors.py app; wsgi_script_name /errors; }
    }
"""
FORWARDED = """
        proxy_set_header Host $http_host; proxy_set_header X-Real-IP 192.0.2.77;
        proxy_set_header X-Forwarded-Proto https;
"""
SCHEME = "wsgi_param wsgi.url_scheme $http_x_forwarded_proto if_not_empty;"
COPY = """
copies = []


def app(environ, start_response):
    copies.append(environ["wsgi.input"].read())
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"copied"]


def show(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [repr(copies).encode()]
"""


@pytest.fixture(scope="module")
def server(module_nginx):
    conf = CONF.replace("@FORWARDED@", FORWARDED)
    http = HTTP.replace("@SCHEME@", SCHEME)
    return module_nginx.prepare(conf, http=http, files=[("copy.py", COPY)]).start()


@pytest.mark.parametrize("way", ["", "/unbuffered", "/socket"])
def test_proxy_pass_passes_a_request_on(server, way):
    large = b"0123456789" * 100_000
    assert server.ask(f"{way}/say/words").body == b"words"
    assert server.ask(f"{way}/html/words").body == b"words"
    assert server.ask(f"{way}/echo", "POST", body=large).body.endswith(b"1000000 " + large)
    assert server.ask(f"{way}/say/words", "HEAD").status == 200
    assert server.ask(f"{way}/status/404").status == 404
    with server.connect() as connection:
        connection.send_request(
            f"{way}/echo", method="POST", headers=[("Transfer-Encoding", "chunked")]
        )
        for piece in (b"one", b"two" * 10_000, b""):
            connection.send_chunk(piece)
        assert connection.read_response().body.endswith(b" one" + b"two" * 10_000), "chunks"


@pytest.mark.parametrize("way", ["", "/socket"])
def test_environ_behind_a_proxy_is_that_of_the_client(server, way):
    response = server.ask(f"{way}/environ", host="shop.test:8443")
    environ = {key: value for key, (_, value) in json.loads(response.body).items()}
    assert environ["HTTP_HOST"] == "shop.test:8443", "the name that the client used"
    assert environ["SERVER_NAME"] == "shop.test"
    assert environ["REMOTE_ADDR"] == "192.0.2.77", "the address of the client, by realip"
    assert environ["wsgi.url_scheme"] == "https", "the scheme of the client, by wsgi_param"


def test_proxy_cache_keeps_a_response(server):
    first = server.ask("/cached/number")
    again = server.ask("/cached/number")
    assert (first.header("X-Cache"), again.header("X-Cache")) == ("MISS", "HIT")
    assert first.body == again.body, "the application ran once"
    fresh = server.ask("/cached/number?fresh=1")
    assert fresh.body != first.body, "proxy_cache_bypass runs it again"
    head = server.ask("/cached/number", "HEAD")
    assert head.header("X-Cache") == "MISS" and head.status == 200, "HEAD has its own key here"
    assert server.ask("/cached/status/404").header("X-Cache") == "MISS"
    assert server.ask("/cached/status/404").header("X-Cache") == "HIT", "404, as configured"


def test_proxy_cache_obeys_the_application(server):
    for path in ("/cached/number/cookie", "/cached/fields?a"):
        for _ in range(2):
            assert server.ask(path).header("X-Cache") == "MISS", "Set-Cookie and private: not kept"


def test_proxy_cache_does_not_keep_a_truncated_response(server):
    for _ in range(2):
        response = server.ask("/cached/errors/ok")
        assert response.body == b"ok"
    for _ in range(2):
        with server.connect() as connection:
            connection.send_request("/cached/errors/raises_after_chunk")
            head = connection.read_head()
            assert head.header("X-Cache") == "MISS", "a part of a response must not be kept"
            connection.read_to_end()
    server.wait_log("ValueError: on purpose")


def test_gzip_compresses_behind_a_proxy(server):
    response = server.ask("/gzipped/type/text/plain?words", headers=[("Accept-Encoding", "gzip")])
    assert zlib.decompress(response.body, 31) == b"words"


def test_proxy_intercept_errors_can_lead_to_an_application(server):
    for path, status in (("status/404", 404), ("raise", 500)):
        response = server.ask(f"/intercepted/{path}", "POST", body=b"body")
        assert response.body == b"POST 4 body", "the page of the application"
        assert response.status == status, "the status stays"


def test_mirror_of_a_proxy_copies_the_request(server):
    response = server.ask("/copied/echo", "POST", body=b"to both")
    assert response.body == b"POST 7 to both"
    wait_for(lambda: b"to both" in server.ask("/copies").body, "the copy")


@pytest.mark.not_inline("the stream waits")
def test_a_stream_through_a_proxy_arrives_piece_by_piece(server, gate):
    stop = gate()
    with server.connect() as connection:
        connection.send_request(f"/unbuffered/wait/stream?{stop.query}")
        head = connection.read_head()
        assert connection.read_chunk(head) == b"first", "before the application gives the rest"
        stop.open()
        assert b"".join(connection.pieces(head)) == b"second"


@pytest.mark.not_inline("the stream waits")
def test_a_client_of_a_proxy_leaves_a_stream(server, gate):
    stop = gate()
    with server.connect() as connection:
        connection.send_request(f"/unbuffered/wait/stream?{stop.query}")
        connection.read_chunk(connection.read_head())
        # A client that leaves before the first piece would end the application before its gate.
        stop.wait()
    server.wait_access('"GET /wait/stream', '" 499 ')
    stop.open()
    wait_for(lambda: server.ask("/wait/closed").body != b"0", "close() of the iterable")
