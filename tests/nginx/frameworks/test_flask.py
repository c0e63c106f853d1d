"""A Flask application behind nginx, in two workers."""

import hashlib
import json

import pytest
from forms import MULTIPART, URLENCODED, form, upload

CONF = """
    client_max_body_size 10m;
    location / { wsgi_app @PREFIX@/sites/flask_site.py app; }
    location /below { wsgi_app @PREFIX@/sites/flask_site.py app; wsgi_script_name /below; }
"""


@pytest.fixture(scope="module")
def server(site):
    return site(CONF).start()


def test_index(server):
    response = server.ask("/", host="localhost:8080")
    assert response.text == "Hello from localhost:8080 at http://localhost:8080/", "with its URL"


def test_script_name(server):
    text = server.ask("/below/").text
    assert text.endswith("http://localhost/below/"), "url_for() knows where the application is"


def test_form_and_session(server):
    response = server.ask("/login", "POST", body=form(who="Zo\xeb"), headers=[URLENCODED])
    assert (response.status, response.header("Location")) == (302, "/me"), "a redirect"
    cookie = response.header("Set-Cookie").split(";")[0]
    for _ in range(10):
        me = json.loads(server.ask("/me", headers=[("Cookie", cookie)]).body)
        assert me["who"] == "Zo\xeb", "either worker reads the session"


@pytest.mark.parametrize("size", [10, 5_000_000])
def test_upload(server, size):
    data = bytes(n % 253 for n in range(1000)) * (size // 1000 + 1)
    body = upload("file", data)
    response = server.ask("/upload", "POST", body=body, headers=[MULTIPART])
    assert response.text == hashlib.sha256(data).hexdigest(), "the file is whole"


def test_chunked_form(server):
    with server.connect() as connection:
        headers = [URLENCODED, ("Transfer-Encoding", "chunked")]
        connection.send_request("/login", method="POST", headers=headers)
        connection.send_chunk(b"who=")
        connection.send_chunk(b"somebody")
        connection.send_chunk(b"")
        assert connection.read_response().status == 302, "a form in chunks is a form"


def test_stream(server):
    expected = "".join(f"line {number}\n" for number in range(1000))
    assert server.ask("/lines").text == expected, "a stream is whole"


def test_file(server):
    response = server.ask("/file")
    assert b"A Flask application" in response.body, "send_file() sends a file"
    etag = response.header("ETag")
    assert server.ask("/file", headers=[("If-None-Match", etag)]).status == 304, "once"
    part = server.ask("/file", headers=[("Range", "bytes=3-9")])
    assert (part.status, part.body) == (206, response.body[3:10]), "or a part of it"


def test_head_and_404(server):
    assert server.ask("/", "HEAD").body == b"", "Flask's HEAD has no body"
    assert server.ask("/none").status == 404, "Flask's own page"
    assert server.ask("/login").status == 405, "and its own rules"


def test_failing_view(server):
    assert server.ask("/fails").status == 500, "Flask answers it"
    assert server.wait_log("RuntimeError: a view failed", "GET /fails"), "and logs it"
    assert server.wait_log("about to fail", "GET /fails", "client: 127.0.0.1"), "with the request"
