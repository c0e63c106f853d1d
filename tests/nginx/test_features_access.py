"""Access control by nginx: auth_request, auth_basic, satisfy, limits, internal, realip."""

import base64
import concurrent.futures
import json
import ssl
import time

import pytest

from h2client import H2Connection

pytestmark = pytest.mark.not_validated("the validator refuses what the applications answer")

JUDGED = """
        auth_request /judge;
        auth_request_set $judged_user $sent_http_x_user;
        auth_request_set $judged_body $sent_http_x_body;
        wsgi_app @APPS@/judge.py taker;
        wsgi_param judged.user $judged_user; wsgi_param judged.body $judged_body;
"""
SHOWN = "wsgi_app @APPS@/environ.py app"
CONF = """
    location = /judge { internal; wsgi_app @APPS@/judge.py judge; }
    location /judged/ { @JUDGED@ }
    location /streamed/ { @JUDGED@ wsgi_request_buffering off; }
    location /judged_file { auth_request /judge; }
    location /cookie/ {
        @JUDGED@ auth_request_set $cookie $sent_http_set_cookie; add_header Set-Cookie $cookie;
    }
    location /login/ { @JUDGED@ error_page 401 = @login; }
    location @login { wsgi_app @APPS@/pages.py app; wsgi_script_name /login; }
    location /either/ { satisfy any; auth_request /judge; deny all; @SHOWN@; }
    location /judged_members/ {
        auth_basic "members"; auth_basic_user_file @PREFIX@/users; auth_request /judge; @SHOWN@;
    }
    location /members/ { auth_basic "members"; auth_basic_user_file @PREFIX@/users; @SHOWN@; }
    location /writers/ {
        limit_except GET { auth_basic "writers"; auth_basic_user_file @PREFIX@/users; }
        @SHOWN@;
    }
    location /dressed/ {
        auth_basic "members"; auth_basic_user_file @PREFIX@/users;
        error_page 401 /dress; @SHOWN@;
    }
    location /dress { @SHOWN@; }
    location /denied/ { deny all; @SHOWN@; }
    location /internal/ { internal; @SHOWN@; }
    location /to_internal { error_page 404 = /internal/x; }
    location /requests/ { limit_req zone=requests; limit_req_status 429; @SHOWN@; }
    location /patient/ { limit_req zone=patient burst=5; @SHOWN@; }
    location /connections/ {
        limit_conn connections 1; wsgi_app @APPS@/wait.py app; wsgi_script_name /connections;
    }
    location /slow/ {
        limit_rate 100k; limit_rate_after 50k; wsgi_app @APPS@/pages.py app; wsgi_script_name /slow;
    }
    location /real/ {
        set_real_ip_from 127.0.0.1; real_ip_header X-Forwarded-For; real_ip_recursive on;
        wsgi_param proxy.addr $realip_remote_addr; @SHOWN@;
    }
    location /real_port/ {
        set_real_ip_from 127.0.0.1; real_ip_header X-Real-IP; @SHOWN@;
    }
""".replace("@JUDGED@", JUDGED).replace("@SHOWN@", SHOWN)

HTTP = """
    limit_req_zone $uri zone=requests:1m rate=1r/m;
    limit_req_zone $uri zone=patient:1m rate=20r/s;
    limit_conn_zone $uri zone=connections:1m;
    server {
        listen 127.0.0.1:@OTHER_PORT@ proxy_protocol;
        set_real_ip_from 127.0.0.1; real_ip_header proxy_protocol;
        location / { wsgi_app @APPS@/environ.py app; }
    }
"""


@pytest.fixture(scope="module")
def server(module_nginx):
    files = [("users", "anna:{PLAIN}secret\n"), ("html/judged_file", "a file")]
    return module_nginx.prepare(CONF, http=HTTP, files=files).start()


def credentials(password):
    return ("Authorization", "Basic " + base64.b64encode(b"anna:" + password).decode())


def shown(response):
    assert response.status == 200, response.text
    return {key: value for key, (_, value) in json.loads(response.body).items()}


def judged(server, path="/judged/", verdict="200", method="GET", headers=(), **how):
    headers = [("X-Verdict", verdict), ("X-Name", "anna"), *headers]
    return server.ask(path, method, headers=headers, **how)


def test_auth_request_lets_a_request_in(server):
    response = judged(server)
    assert eval(response.body)[:3] == ["GET", "anna", "b''"], "with the user of $sent_http_x_user"
    assert response.header("X-User") is None, "the client must not get the judge's headers"
    assert judged(server, "/judged_file", "204").body == b"a file", "also for a file"
    response = judged(server, "/cookie/")
    assert response.header("Set-Cookie") == "judged=yes", "nginx can add one of them"
    assert judged(server, method="HEAD").status == 200


@pytest.mark.parametrize("path", ["/judged/", "/streamed/"])
@pytest.mark.parametrize("size", [10, 500_000])
def test_auth_request_leaves_the_body_to_the_application(server, path, size):
    body = b"0123456789" * (size // 10)
    expected = ["POST", "anna", "b''", str(size), body]
    assert eval(judged(server, path, method="POST", body=body).body) == expected
    with server.connect() as connection:
        chunked = [("Transfer-Encoding", "chunked"), ("X-Name", "anna")]
        connection.send_request(path, method="POST", headers=chunked)
        connection.send_chunk(body)
        connection.send_chunk(b"")
        said = eval(connection.read_response().body)
    assert said[:3] == ["POST", "anna", "b''"] and said[4] == body, "also in chunks"


def test_auth_request_keeps_a_request_out(server):
    for verdict in ("401", "403"):
        for method in ("GET", "HEAD", "POST"):
            body = b"body" if method == "POST" else None
            assert judged(server, verdict=verdict, method=method, body=body).status == int(verdict)
    for verdict in ("302", "404", "500", "raise"):
        assert judged(server, verdict=verdict).status == 500, "any other status is an error"
    server.wait_log("ValueError: no verdict")


def test_auth_request_can_ask_for_credentials(server):
    response = judged(server, verdict="401")
    assert response.all("WWW-Authenticate") == ['Basic realm="0"'], "nginx passes the challenge on"
    response = judged(server, verdict="401", headers=[("X-Challenges", "2")])
    assert 1 <= len(response.all("WWW-Authenticate")) <= 2, "nginx 1.22 has room for one of two"
    response = judged(server, "/login/say?log%20in", "401")
    assert (response.status, response.body) == (200, b"log in"), "error_page can be a login"


def test_auth_request_drops_a_long_body_of_the_judge(server):
    for _ in range(3):
        assert eval(judged(server, verdict="verbose").body)[1] == "anna", "only the head counts"
    assert not server.log_lines("OSError"), "the judge must not get an error"


def test_an_internal_judge_is_not_found_from_outside(server):
    assert server.ask("/judge").status == 404, "a client cannot request it"


def test_satisfy_any_and_all(server):
    assert judged(server, "/either/").status == 200, "any: the judge is enough"
    for verdict in ("401", "403"):
        assert judged(server, "/either/", verdict).status == int(verdict), "any: no condition holds"
    environ = shown(judged(server, "/judged_members/", headers=[credentials(b"secret")]))
    assert environ["REMOTE_USER"] == "anna", "all: both conditions hold"
    assert judged(server, "/judged_members/", headers=[credentials(b"wrong")]).status == 401
    response = judged(server, "/judged_members/", "403", headers=[credentials(b"secret")])
    assert response.status == 403, "all: one of both is not enough"


def test_auth_basic_sets_remote_user(server):
    response = server.ask("/members/")
    assert (response.status, response.header("WWW-Authenticate")) == (401, 'Basic realm="members"')
    assert server.ask("/members/", headers=[credentials(b"wrong")]).status == 401
    environ = shown(server.ask("/members/", headers=[credentials(b"secret")]))
    assert (environ["REMOTE_USER"], environ["AUTH_TYPE"]) == ("anna", "Basic")
    response = server.ask("/dressed/", headers=[credentials(b"wrong")])
    assert response.status == 401 and b"REMOTE_USER" not in response.body, "not on an error page"
    assert response.header("WWW-Authenticate"), "the error page keeps the challenge"


def test_auth_basic_within_limit_except(server):
    environ = shown(server.ask("/writers/", headers=[credentials(b"wrong")]))
    assert "REMOTE_USER" not in environ, "nginx does not verify the user of a GET"
    assert server.ask("/writers/", "POST", headers=[credentials(b"wrong")]).status == 401
    environ = shown(server.ask("/writers/", "POST", headers=[credentials(b"secret")]))
    assert environ["REMOTE_USER"] == "anna", "nginx verifies the user of a POST"


def test_deny_and_internal_keep_requests_out(server):
    assert server.ask("/denied/").status == 403, "the application must not run"
    assert server.ask("/internal/x").status == 404, "a client cannot request it"
    environ = shown(server.ask("/to_internal"))
    assert environ["PATH_INFO"] == "/internal/x", "error_page can lead there"


def test_limit_req_refuses_requests(server):
    assert server.ask("/requests/one").status == 200
    response = server.ask("/requests/one", "POST", body=b"x" * 100_000)
    assert response.status == 429, "above the limit the application must not run"
    assert server.ask("/requests/two").status == 200, "others are"


def test_limit_req_delays_requests(server):
    begin = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(5) as pool:
        asked = [pool.submit(server.ask, "/patient/", "POST", body=b"body") for _ in range(5)]
        lengths = [shown(future.result())["CONTENT_LENGTH"] for future in asked]
    assert lengths == ["4"] * 5, "delayed requests must be complete"
    assert time.monotonic() - begin >= 0.19, "20 in a second"


@pytest.mark.not_inline("the application waits")
def test_limit_conn_limits_connections(server, gate):
    stop = gate()
    with server.connect() as connection:
        connection.send_request(f"/connections/block?{stop.query}")
        stop.wait()
        assert server.ask("/connections/block").status == 503, "a second one at the same time"
        assert server.ask("/connections/started").status == 200, "another $uri has its own limit"
        stop.open()
        assert connection.read_response().body == b"passed"
    assert server.ask("/connections/closed").status == 200, "there must be room again"


@pytest.mark.parametrize("page", ["echo", "file", "stream"])
def test_limit_rate_delays_the_rest_of_a_response(server, page):
    """nginx sends 150 KB at once, and the rest a second later.

    nginx counts whole seconds: if a second begins in between, it sends all at once. That cannot
    happen three times in a row.
    """
    assert any(slow_download(server, page) >= 0.5 for _ in range(3)), "the rest must be delayed"


def slow_download(server, page):
    """The seconds that a download of 200 KB takes."""
    text = b"0123456789" * 20_000
    path = server.write("slow", text.decode())
    begin = time.monotonic()
    if page == "echo":
        assert server.ask("/slow/echo", "POST", body=text).body.endswith(b"200000 " + text)
    elif page == "file":
        assert server.ask(f"/slow/file?{path}").body == text
    else:
        body = server.ask("/slow/twice", "POST", body=text[:2000]).body
        assert body.count(text[:2000]) == 100, "all of it must arrive"
    return time.monotonic() - begin


def test_realip_sets_remote_addr(server):
    for port in (server.port, server.h2_port):
        addresses = [("x-forwarded-for", "192.0.2.1, 192.0.2.7")]
        environ = shown_over(server, port, "/real/", addresses)
        assert environ["REMOTE_ADDR"] == "192.0.2.7", "the address that the proxy reports"
        assert "REMOTE_PORT" not in environ, "the port is not known"
        assert environ["proxy.addr"] == "127.0.0.1", "a variable has the proxy's address"
    environ = shown(server.ask("/real_port/", headers=[("X-Real-IP", "192.0.2.9:4711")]))
    assert (environ["REMOTE_ADDR"], environ["REMOTE_PORT"]) == ("192.0.2.9", "4711")
    environ = shown(server.ask("/real_port/", headers=[("X-Real-IP", "[2001:db8::1]:4711")]))
    assert (environ["REMOTE_ADDR"], environ["REMOTE_PORT"]) == ("2001:db8::1", "4711")
    headers = [credentials(b"secret"), ("X-Real-IP", "192.0.2.9")]
    environ = shown(server.ask("/members/", headers=headers))
    assert environ["REMOTE_ADDR"] == "127.0.0.1", "only if nginx trusts the proxy"


def shown_over(server, port, path, headers):
    """environ over HTTP/1 or HTTP/2."""
    if port == server.port:
        return shown(server.ask(path, headers=headers))
    with H2Connection(port) as connection:
        body = bytes(connection.ask(path, headers=headers).body)
    return {key: value for key, (_, value) in json.loads(body).items()}


def test_proxy_protocol_sets_remote_addr(server):
    with server.connect(server.other_port) as connection:
        connection.send(b"PROXY TCP4 192.0.2.3 192.0.2.4 5555 80\r\n")
        environ = shown(connection.ask("/"))
        assert (environ["REMOTE_ADDR"], environ["REMOTE_PORT"]) == ("192.0.2.3", "5555")
        again = shown(connection.ask("/"))
        assert again["REMOTE_ADDR"] == "192.0.2.3", "for each request of the connection"


CERTIFIED = """
    map $ssl_client_verify $certified { default ""; SUCCESS $ssl_client_s_dn; }
    server {
        listen 127.0.0.1:@OTHER_PORT@ ssl;
        ssl_certificate @PREFIX@/cert.pem; ssl_certificate_key @PREFIX@/key.pem;
        ssl_client_certificate @PREFIX@/cert.pem; ssl_verify_client %s;
        location / { wsgi_app @APPS@/environ.py app; wsgi_param REMOTE_USER $certified if_not_empty; }
    }
"""


def ask_with_certificate(server, folder):
    """environ or the status, if the client shows the certificate in `folder`, or none."""
    context = ssl.create_default_context(cafile=server.prefix / "cert.pem")
    if folder:
        context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    connection = server.connect(server.other_port)
    connection.socket = context.wrap_socket(connection.socket, server_hostname="localhost")
    with connection:
        response = connection.ask("/")
    return json.loads(response.body) if response.status == 200 else response.status


@pytest.mark.parametrize("verify", ["on", "optional", "optional_no_ca"])
def test_remote_user_from_a_certificate(nginx, verify):
    """docs/directives.md, wsgi_param: a name counts if nginx has verified the certificate."""
    server = nginx.prepare(http=CERTIFIED % verify)
    server.make_certificate()
    stranger = nginx.prepare()
    stranger.make_certificate()
    server.start()
    assert ask_with_certificate(server, server.prefix)["REMOTE_USER"][1] == "CN=localhost"
    for folder in (stranger.prefix, None):
        answer = ask_with_certificate(server, folder)
        assert answer == 400 or "REMOTE_USER" not in answer, f"nginx did not verify {folder}"
