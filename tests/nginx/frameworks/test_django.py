"""A Django project behind nginx: the admin, forms, uploads, sqlite, static files."""

import concurrent.futures
import hashlib
import os

import pytest
from browser import Browser
from forms import MULTIPART, URLENCODED, form, upload
from virtualenv import run

CONF = """
    client_max_body_size 10m;
    location / { wsgi_app @PREFIX@/sites/django_site/wsgi.py application; }
    location /static/ { alias @PREFIX@/sites/django_site/static/; }
"""


@pytest.fixture(scope="module")
def server(site, virtualenv):
    prepared = site(CONF)
    project = prepared.prefix / "sites" / "django_site"
    for command in (
        ["migrate"],
        ["collectstatic", "--noinput"],
        ["createsuperuser", "--noinput", "--username", "anna", "--email", "anna@example.com"],
    ):
        environment = {**os.environ, "DJANGO_SUPERUSER_PASSWORD": "secret"}
        environment["PYTHONPATH"] = str(project.parent)
        run(virtualenv / "bin/python", "manage.py", *command, cwd=project, env=environment)
    return prepared.start()


def logged_in(server):
    browser = Browser(server)
    assert browser.ask("/admin/login/?next=/admin/").status == 200, "the login page"
    page = browser.submit("/admin/login/", username="anna", password="secret", next="/admin/")
    assert (page.status, page.header("Location")) == (302, "/admin/"), "the login works"
    return browser


def test_the_admin_needs_a_login(server):
    response = server.ask("/admin/")
    assert response.status == 302, "without a login"
    assert response.header("Location") == "/admin/login/?next=/admin/", "to the login page"
    browser = Browser(server)
    browser.ask("/admin/login/")
    assert "errornote" in browser.submit("/admin/login/", username="anna", password="no").text


def test_the_admin_works_after_a_login(server):
    browser = logged_in(server)
    assert "Site administration" in browser.ask("/admin/").text, "the admin's first page"
    browser.ask("/admin/notes/note/add/")
    assert browser.submit("/admin/notes/note/add/", text="by the admin").status == 302, "it saves"
    assert "by the admin" in browser.ask("/admin/notes/note/").text, "it lists"


def test_a_form_with_a_token_is_saved(server):
    browser = Browser(server)
    browser.ask("/notes/")
    page = browser.submit("/notes/", text="caf\xe9 <b>")
    assert (page.status, page.header("Location")) == (302, "/notes/"), "a redirect after POST"
    for _ in range(6):
        assert "caf\xe9 &lt;b&gt;" in browser.ask("/notes/").text, "both workers read it"


def test_a_form_without_a_token_is_refused(server):
    response = server.ask("/notes/", "POST", body=form(text="forged"), headers=[URLENCODED])
    assert response.status == 403, "by Django"
    assert "forged" not in server.ask("/notes/").text, "Django must not save it"


@pytest.mark.parametrize(
    "size, kind", [(1000, "InMemoryUploadedFile"), (4_000_000, "TemporaryUploadedFile")]
)
@pytest.mark.parametrize("chunked", [False, True], ids=["with length", "chunked"])
def test_an_upload_is_complete(server, size, kind, chunked):
    data = bytes(n % 241 for n in range(1000)) * (size // 1000)
    body, expected = upload("file", data), f"{hashlib.sha256(data).hexdigest()} {kind}"
    with server.connect() as connection:
        if chunked:
            headers = [MULTIPART, ("Transfer-Encoding", "chunked")]
            connection.send_request("/upload/", method="POST", headers=headers)
            for start in range(0, len(body), 30000):
                connection.send_chunk(body[start : start + 30000])
            connection.send_chunk(b"")
        else:
            connection.send_request("/upload/", method="POST", headers=[MULTIPART], body=body)
        assert connection.read_response("POST").text == expected, "the whole file"


def test_nginx_serves_static_files(server):
    response = server.ask("/static/admin/css/base.css")
    assert response.status == 200, "a file of collectstatic"
    assert response.header("Accept-Ranges") == "bytes", "sent by nginx"


def test_a_stream_and_a_file_are_complete(server):
    expected = "".join(f"line {number}\n" for number in range(1000))
    assert server.ask("/lines/").text == expected, "a StreamingHttpResponse"
    response = server.ask("/file/")
    assert b"A form, an upload" in response.body, "a FileResponse"
    assert response.header("Content-Length") == str(len(response.body)), "with its length"


def test_a_failing_view_is_a_500(server):
    assert server.ask("/fails/").status == 500, "Django answers"
    assert server.wait_log("RuntimeError: a view failed"), "Django logs it"


def test_an_unknown_host_is_refused(server):
    assert server.ask("/notes/", host="evil.test").status == 400, "Django checks HTTP_HOST"


def test_many_writers_share_a_database(server):
    def write(number):
        browser = Browser(server)
        browser.ask("/notes/")
        return browser.submit("/notes/", text=f"writer {number}").status

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert list(pool.map(write, range(24))) == [302] * 24, "threads and workers use sqlite"
    text = server.ask("/notes/").text
    assert all(f"writer {number}<" in text for number in range(24)), "no note is lost"
