"""Listeners, HTTP/2 with many streams, long headers, and the variables of the access log."""

import json
import re
import socket

import pytest

import client
from h2client import H2Connection

pytestmark = pytest.mark.not_validated("the validator refuses what the applications answer")

SHOWN = "location / { wsgi_app @APPS@/environ.py app; }"
CONF = """
    large_client_header_buffers 4 64k;
    http2_max_concurrent_streams 200;
    location / { wsgi_app @APPS@/environ.py app; }
    location /pages/ { wsgi_app @APPS@/pages.py app; wsgi_script_name /pages; }
    location /limited/ {
        limit_rate 1m; wsgi_app @APPS@/pages.py app; wsgi_script_name /limited;
    }
    location /large/ { wsgi_app @APPS@/large.py app; wsgi_script_name /large; }
    location /wait/ { wsgi_app @APPS@/wait.py app; wsgi_script_name /wait; }
    location /logged/ {
        access_log @PREFIX@/logged.log variables;
        wsgi_app @APPS@/pages.py app; wsgi_script_name /logged;
    }
"""

HTTP = """
    log_format variables escape=json '{"status": "$status", "request_time": "$request_time",'
        '"sent": "$bytes_sent", "body": "$body_bytes_sent", "length": "$request_length",'
        '"type": "$sent_http_content_type", "stated": "$sent_http_content_length",'
        '"own": "$sent_http_x_status", "etag": "$sent_http_etag",'
        '"complete": "$request_completion",'
        '"modified": "$sent_http_last_modified", "cache": "$sent_http_cache_control",'
        '"upstream": "$upstream_addr$upstream_status$upstream_response_time$upstream_http_etag"}';
    server { listen unix:@PREFIX@/named.sock; server_name shop.test; @SHOWN@ }
    server { listen unix:@PREFIX@/nameless.sock; @SHOWN@ }
    server { listen unix:@PREFIX@/h2.sock http2; @SHOWN@ }
    @INET6@
"""
INET6 = "server { listen [::1]:@OTHER_PORT@; @SHOWN@ }"


def has_inet6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


@pytest.fixture(scope="module")
def server(module_nginx):
    http = HTTP.replace("@INET6@", INET6 if has_inet6() else "")
    return module_nginx(CONF, http=http.replace("@SHOWN@", SHOWN))


def ask(address, family, sent):
    """environ of a request over any kind of socket."""
    with socket.socket(family) as connection:
        connection.settimeout(client.TIMEOUT)
        connection.connect(address)
        connection.sendall(sent)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
        local = connection.getsockname()
    body = answer.split(b"\r\n\r\n", 1)[1]
    return {key: value for key, (_, value) in json.loads(body).items()}, local


def url(environ):
    """The URL of the server as PEP 3333 puts it together."""
    host = environ.get("HTTP_HOST")
    if host is None:
        host = environ["SERVER_NAME"]
        host += "" if environ["SERVER_PORT"] == "80" else ":" + environ["SERVER_PORT"]
    return f"{environ['wsgi.url_scheme']}://{host}"


OLD = b"GET / HTTP/1.0\r\n\r\n"
NAMED = b"GET / HTTP/1.0\r\nHost: shop.test:81\r\n\r\n"


def test_environ_over_a_unix_socket(server):
    environ, _ = ask(str(server.prefix / "named.sock"), socket.AF_UNIX, OLD)
    assert environ["REMOTE_ADDR"] == "unix:", "nginx's name for a peer without an address"
    assert "REMOTE_PORT" not in environ, "there is no port"
    assert environ["SERVER_ADDR"] == f"unix:{server.prefix}/named.sock"
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("shop.test", "80")
    environ, _ = ask(str(server.prefix / "nameless.sock"), socket.AF_UNIX, OLD)
    assert url(environ) == "http://localhost", "the path of a socket is not a server name"
    environ, _ = ask(str(server.prefix / "nameless.sock"), socket.AF_UNIX, NAMED)
    assert (environ["SERVER_NAME"], environ["HTTP_HOST"]) == ("shop.test", "shop.test:81")


@pytest.mark.skipif(not has_inet6(), reason="this machine has no ::1")
def test_environ_over_inet6(server):
    environ, local = ask(("::1", server.other_port), socket.AF_INET6, OLD)
    assert (environ["REMOTE_ADDR"], environ["REMOTE_PORT"]) == ("::1", str(local[1]))
    assert (environ["SERVER_ADDR"], environ["SERVER_PORT"]) == ("::1", str(server.other_port))
    assert url(environ) == f"http://[::1]:{server.other_port}", "brackets, as in a URL"
    named = b"GET / HTTP/1.0\r\nHost: [::1]:81\r\n\r\n"
    environ, _ = ask(("::1", server.other_port), socket.AF_INET6, named)
    assert environ["SERVER_NAME"] == "[::1]" and environ["HTTP_HOST"] == "[::1]:81"


def test_environ_over_http_0_9(server):
    with server.connect() as connection:
        connection.send(b"GET /\r\n")
        shown = json.loads(connection.read_to_end())
    assert shown["SERVER_PROTOCOL"][1] == "HTTP/0.9", "PEP 3333: it must not be empty"


def test_a_hundred_streams_get_their_own_answers(server):
    with H2Connection(server.h2_port) as connection:
        for _ in range(2):
            bodies = {
                connection.send("/pages/echo", method="POST", body=b"%d" % n): b"%d" % n
                for n in range(100)
            }
            for stream, body in reversed(bodies.items()):
                response = connection.response(stream)
                assert response.status == 200 and response.body.endswith(body), "its own answer"


def test_streams_with_priorities_are_all_answered(server):
    with H2Connection(server.h2_port) as connection:
        streams = []
        for n in range(60):
            stream = connection.h2.get_next_available_stream_id()
            parent = streams[-1] if n % 3 else 0
            connection.h2.prioritize(stream, 1 + n * 4, parent, exclusive=n % 5 == 0)
            streams.append(connection.send(f"/pages/html/{'word' * n}-{n}"))
        for n in reversed(range(60)):
            connection.h2.prioritize(streams[n], weight=1 + n, depends_on=0)
        connection.flush()
        for n, stream in enumerate(streams):
            assert connection.response(stream).body.endswith(b"-%d" % n), "in any order"


@pytest.mark.not_inline("one of them waits")
def test_streams_are_answered_while_another_stream_waits(server, gate):
    stop = gate()
    with H2Connection(server.h2_port) as connection:
        waiting = connection.send(f"/wait/stream?{stop.query}")
        stop.wait()
        large = [connection.send("/large/generator") for _ in range(3)]
        small = [connection.send("/pages/say/small") for _ in range(90)]
        connection.reset(small[0])
        connection.reset(large[0])
        assert all(connection.response(s).body == b"small" for s in small[1:]), "all are answered"
        assert all(len(connection.response(s).body) == 10 << 20 for s in large[1:]), "large ones"
        stop.open()
        assert connection.response(waiting).body == b"firstsecond", "the waiting stream is answered"


def test_limit_rate_mixes_no_streams(server):
    path = server.write("streams", "0123456789" * 20_000)
    with H2Connection(server.h2_port) as connection:
        streams = [connection.send(f"/limited/file?{path}") for _ in range(10)]
        bodies = [connection.response(stream).body for stream in streams]
    assert all(body == b"0123456789" * 20_000 for body in bodies), "no byte lost or mixed"


def test_long_headers_and_cookies_are_complete(server):
    fields = [("X-Long", "l" * 60_000), ("Cookie", "c=" + "k" * 60_000), ("X-Short", "s")]
    environ = json.loads(server.ask("/" + "p" * 50_000, headers=fields).body)
    assert environ["HTTP_X_LONG"][1] == "l" * 60_000, "as long as nginx allows"
    assert environ["HTTP_COOKIE"][1] == "c=" + "k" * 60_000, "a cookie, too"
    assert environ["PATH_INFO"][1] == "/" + "p" * 50_000, "and a path"
    cookies = [("Cookie", f"c{n}={'v' * 100}") for n in range(500)]
    environ = json.loads(server.ask("/", headers=cookies).body)
    assert environ["HTTP_COOKIE"][1].count("; ") == 499, "many cookies are one key"
    for sent, status in [
        (client.request_bytes("/", headers=[("X-Long", "l" * 66_000)]), 400),
        (client.request_bytes("/", headers=[("X-Long", "l" * 60_000)] * 5), 400),
        (client.request_bytes("/" + "p" * 66_000), 414),
    ]:
        with server.connect() as connection:
            connection.send(sent)
            assert connection.read_head().status == status, "nginx refuses longer headers"


def test_long_headers_over_http2_are_complete(server):
    with H2Connection(server.h2_port) as connection:
        fields = [("x-long", "l" * 12_000), *[("cookie", f"c{n}=v") for n in range(50)]]
        response = connection.ask("/", headers=fields)
        environ = json.loads(bytes(response.body))
    assert environ["HTTP_X_LONG"][1] == "l" * 12_000
    assert environ["HTTP_COOKIE"][1].count("; ") == 49, "HTTP/2 splits cookies, environ joins them"


def logged(server, path, method="GET", **how):
    """The entry of the access log for a request."""
    before = (server.prefix / "logged.log").read_text().count("\n")
    with server.connect() as connection:
        response = connection.ask(path, method, **how)
    lines = server.wait_lines("logged.log", before + 1)
    return response, json.loads(lines[before])


def test_the_access_log_has_nginx_s_variables(server):
    response, said = logged(server, "/logged/fields?text")
    size = sum(len(f"{name}: {value}\r\n") for name, value in response.headers)
    size += len("HTTP/1.1 200 OK\r\n\r\n") + len("text")
    assert said["status"] == "200" and said["complete"] == "OK"
    assert (said["sent"], said["body"], said["stated"]) == (str(size), "4", "4"), "bytes"
    assert re.fullmatch(r"\d+\.\d{3}", said["request_time"]), "seconds and milliseconds"
    assert (said["type"], said["etag"]) == ("text/html", '"own"'), "$sent_http_*"
    assert said["modified"] == "Thu, 01 Jan 2026 00:00:00 GMT"
    assert "max-age=1" in said["cache"] and "private" in said["cache"], "both of the two fields"
    assert said["upstream"] == "", "there is no upstream"
    response, said = logged(server, "/logged/status/404")
    assert (said["status"], said["own"]) == ("404", "404")
    response, said = logged(server, "/logged/raise")
    assert (said["status"], said["body"]) == ("500", str(len(response.body)))
    response, said = logged(server, "/logged/say?text", "HEAD")
    assert (said["status"], said["body"]) == ("200", "0"), "no body"
    response, said = logged(server, "/logged/echo", "POST", body=b"x" * 1000)
    assert int(said["length"]) > 1000, "$request_length includes the body"
