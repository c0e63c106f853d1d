"""Bodies for frameworks: JSON in chunks, forms with many files, bodies above a limit."""

import hashlib
import json
import os

import pytest
from asking import SITES, WAYS, ask
from forms import MULTIPART, URLENCODED, form, upload

from h2client import H2Connection

JSON = ("Content-Type", "application/json")
CHUNKED = ("Transfer-Encoding", "chunked")
VALUE = {"text": "caf\xe9 \u65e5\u672c \U0001f600", "numbers": list(range(2000))}

# A chunked body that is not buffered has no CONTENT_LENGTH. WebOb and Werkzeug then use
# wsgi.input_terminated. The others read no body, or refuse the request. Bottle parses no JSON.
WITHOUT_LENGTH = {"flask": 200, "pyramid": 200, "django": 500, "falcon": 400, "cherrypy": 411}


def send_chunked(connection, path, body, size):
    connection.send_request(path, method="POST", headers=[JSON, CHUNKED])
    for start in range(0, len(body), size):
        connection.send_chunk(body[start : start + size])
    connection.send_chunk(b"")
    return connection.read_response("POST")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("place", ["", "arriving/"])
@pytest.mark.parametrize("who", SITES)
def test_json_arrives(server, who, place, way):
    body = json.dumps(VALUE, ensure_ascii=False).encode()
    response = ask(server, way, f"/{place}{who}/json", "POST", headers=[JSON], body=body)
    assert response.json() == {"got": VALUE}, "the same value"


@pytest.mark.parametrize("who", SITES)
def test_json_in_chunks_arrives(server, who):
    body = json.dumps(VALUE).encode()
    with server.connect() as connection:
        for size in (7, 5000):
            response = send_chunked(connection, f"/{who}/json", body, size)
            assert json.loads(response.body) == {"got": VALUE}, "nginx has joined the chunks"


@pytest.mark.not_inline("nginx buffers every body with wsgi_threads 0")
@pytest.mark.parametrize("who", SITES)
def test_json_in_unbuffered_chunks(server, who):
    body = json.dumps(VALUE).encode()
    with server.connect() as connection:
        response = send_chunked(connection, f"/arriving/{who}/json", body, 5000)
        assert response.status == WITHOUT_LENGTH.get(who, 200), "frameworks differ"
        if response.status == 200:
            expected = None if who == "bottle" else VALUE
            assert json.loads(response.body) == {"got": expected}, "always the same"
        check_next(connection, response, who)


@pytest.mark.parametrize("who", SITES)
def test_json_without_a_length_over_http2_arrives(server, who):
    body = json.dumps(VALUE).encode()
    with H2Connection(server.h2_port) as connection:
        headers = [("content-type", "application/json")]
        response = connection.ask(f"/{who}/json", method="POST", headers=headers, body=body)
        assert json.loads(response.body) == {"got": VALUE}, "nginx has counted the bytes"


FILES = [os.urandom(50 * number) for number in range(49)]
LARGE = os.urandom(20_000_000)


def expected_sums(files):
    return {
        f"file{number or ''}.bin": [len(data), hashlib.sha256(data).hexdigest()]
        for number, data in enumerate(files)
    }


@pytest.mark.parametrize("place", ["", "arriving/"])
@pytest.mark.parametrize("who", SITES)
def test_many_files_arrive(server, who, place):
    files = [LARGE, *FILES]  # Bottle's limit of memory requires the large one first
    with server.connect() as connection:
        response = connection.ask(
            f"/{place}{who}/uploads", "POST", headers=[MULTIPART], body=upload("file", *files)
        )
        assert json.loads(response.body) == expected_sums(files), "fifty files, one of 20 MB"
        assert connection.ask(f"/{who}/local").status == 200, "the connection must go on"


@pytest.mark.parametrize("place", ["", "arriving/"])
@pytest.mark.parametrize("who", SITES)
def test_many_files_over_http2_arrive(server, who, place):
    body = upload("file", *FILES)
    response = ask(server, "HTTP/2", f"/{place}{who}/uploads", "POST", [MULTIPART], body)
    assert response.json() == expected_sums(FILES), "forty-nine files"


def check_next(connection, response, who):
    """After a response comes the next answer, or the end that the response announced."""
    if response.header("Connection") == "close":
        connection.half_close()
        assert connection.is_closed(), "as announced"
    else:
        assert connection.ask(f"/{who}/local").text == "nothing", "the next request is answered"


@pytest.mark.parametrize("place", ["", "arriving/"])
@pytest.mark.parametrize("size", [150_000, 3_000_000])
@pytest.mark.parametrize("who", SITES)
def test_a_body_above_the_framework_s_limit(server, who, place, size):
    """Of an unbuffered body a part was read. nginx then closes the connection."""
    body = json.dumps(["x" * size]).encode()
    path = f"/{place}{who}/limited"
    with server.connect() as connection:
        response = connection.ask(path, "POST", headers=[JSON], body=body)
        if who == "django" and size < 2_621_440:
            assert (response.status, response.text) == (200, str(len(body))), "Django takes 2.5 MB"
        else:
            assert response.status == (400 if who == "django" else 413), "its own answer"
        if not place:
            check_next(connection, response, who)
    response = ask(server, "HTTP/2", path, "POST", [JSON], body[:150_000])
    assert response.status in (200, 413), "also over HTTP/2"


@pytest.mark.parametrize("place", ["", "arriving/"])
@pytest.mark.parametrize("who", SITES)
def test_an_unread_body_is_not_taken_for_a_request(server, who, place):
    with server.connect() as connection:
        for size in (10, 200_000):
            body = b"GET /evil HTTP/1.1\r\nHost: evil\r\n\r\n" * (size // 10)
            response = connection.ask(f"/{place}{who}/nowhere", "POST", body=body)
            assert response.status == 404, "the page does not exist"
            if response.header("Connection") == "close":
                return
        check_next(connection, response, who)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("place", ["", "arriving/"])
@pytest.mark.parametrize("who", ["flask", "django"])
def test_asynchronous_views_read_bodies(server, who, place, way):
    """asgiref runs the views on a thread of its own, where they read the body."""
    path = f"/{place}{who}/async"
    body = json.dumps(VALUE).encode()
    response = ask(server, way, f"{path}/json", "POST", headers=[JSON], body=body)
    assert response.json() == {"got": VALUE}, "JSON"
    body = form(name="caf\xe9", other="x" * 1000)
    response = ask(server, way, f"{path}/form", "POST", headers=[URLENCODED], body=body)
    assert response.json() == {"name": "caf\xe9", "other": "x" * 1000}, "a form"
    data = bytes(range(256)) * 4000
    body = upload("file", data)
    response = ask(server, way, f"{path}/uploads", "POST", headers=[MULTIPART], body=body)
    assert response.json() == {"file.bin": [len(data), hashlib.sha256(data).hexdigest()]}, "a file"
