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


def test_the_index_knows_its_url(server):
    response = server.ask("/", host="localhost:8080")
    assert response.text == "Hello from localhost:8080 at http://localhost:8080/", "with its URL"


def test_url_for_knows_script_name(server):
    text = server.ask("/below/").text
    assert text.endswith("http://localhost/below/"), "with the prefix"


def test_a_form_and_a_session(server):
    response = server.ask("/login", "POST", body=form(who="Zo\xeb"), headers=[URLENCODED])
    assert (response.status, response.header("Location")) == (302, "/me"), "a redirect"
    cookie = response.header("Set-Cookie").split(";")[0]
    for _ in range(10):
        me = json.loads(server.ask("/me", headers=[("Cookie", cookie)]).body)
        assert me["who"] == "Zo\xeb", "both workers read the session"


@pytest.mark.parametrize("size", [10, 5_000_000])
def test_an_upload_is_complete(server, size):
    data = bytes(n % 253 for n in range(1000)) * (size // 1000 + 1)
    body = upload("file", data)
    response = server.ask("/upload", "POST", body=body, headers=[MULTIPART])
    assert response.text == hashlib.sha256(data).hexdigest(), "the whole file"


def test_a_form_in_chunks_is_parsed(server):
    with server.connect() as connection:
        headers = [URLENCODED, ("Transfer-Encoding", "chunked")]
        connection.send_request("/login", method="POST", headers=headers)
        connection.send_chunk(b"who=")
        connection.send_chunk(b"somebody")
        connection.send_chunk(b"")
        assert connection.read_response().status == 302, "as with a length"


def test_a_stream_is_complete(server):
    expected = "".join(f"line {number}\n" for number in range(1000))
    assert server.ask("/lines").text == expected, "every line"


def test_a_file_is_sent_whole_and_in_part(server):
    response = server.ask("/file")
    assert b"A Flask application" in response.body, "send_file() sends a file"
    etag = response.header("ETag")
    assert server.ask("/file", headers=[("If-None-Match", etag)]).status == 304, "once"
    part = server.ask("/file", headers=[("Range", "bytes=3-9")])
    assert (part.status, part.body) == (206, response.body[3:10]), "a part of it"


def test_flask_answers_head_404_and_405(server):
    assert server.ask("/", "HEAD").body == b"", "no body for HEAD"
    assert server.ask("/none").status == 404, "Flask's own page"
    assert server.ask("/login").status == 405, "Flask's own rule"


def test_a_failing_view_is_a_500(server):
    assert server.ask("/fails").status == 500, "Flask answers"
    assert server.wait_log("RuntimeError: a view failed", "GET /fails"), "Flask logs it"
    assert server.wait_log("about to fail", "GET /fails", "client: 127.0.0.1"), "with the request"
