"""Responses of every shape, as they go over the wire."""

import pytest

import client

CONF = "location / { wsgi_app @APPS@/response.py app; }"


@pytest.fixture(scope="module")
def server(module_nginx):
    return module_nginx(CONF)


@pytest.mark.parametrize("shape", ["list", "tuple", "generator", "iterator", "empty_chunks"])
def test_iterables(server, shape):
    expected = b"onetwo" if shape == "empty_chunks" else b"onetwothree"
    with server.connect() as connection:
        assert connection.ask(f"/{shape}").body == expected, "every piece is sent, in order"
        assert connection.ask(f"/{shape}").body == expected, "and the connection goes on"


@pytest.mark.parametrize("shape", ["empty_list", "only_empty"])
def test_empty_bodies(server, shape):
    with server.connect() as connection:
        response = connection.ask(f"/{shape}")
        assert (response.status, response.body) == (200, b""), "an empty body is a body"
        assert connection.ask("/one").body == b"one", "and the connection goes on"


def test_one_piece_has_a_length(server):
    response = server.ask("/one")
    assert response.header("Content-Length") == "3", "len() was 1, so the length is known"
    assert not response.chunked, "and no chunks are needed"


def test_unknown_length_is_chunked(server):
    response = server.ask("/generator")
    assert response.chunked, "HTTP/1.1 has chunks for it"
    assert response.header("Content-Length") is None, "and no length"


def test_http_1_0(server):
    with server.connect() as connection:
        response = connection.ask("/generator", version="HTTP/1.0")
        assert not response.chunked, "HTTP/1.0 has no chunks"
        assert response.body == b"onetwothree", "the end of the connection is the end"
    with server.connect() as connection:
        keep = [("Connection", "keep-alive")]
        response = connection.ask("/one", version="HTTP/1.0", headers=keep)
        assert response.header("Connection") == "keep-alive", "a known length can keep it"
        assert connection.ask("/one", version="HTTP/1.0", headers=keep).body == b"one", "and does"


def test_write(server):
    assert server.ask("/written").body == b"abc", "write() comes before the iterable"
    assert server.ask("/written_only").body == b"a", "write() may be all there is"


def test_late_start_response(server):
    response = server.ask("/late")
    assert response.status == 404, "a generator may call start_response"
    assert response.header("X-Late") == "yes", "with headers"
    assert response.body == b"late", "and then yield"
    assert server.ask("/late_empty").body == b"late", "even after an empty piece"


@pytest.mark.parametrize("shape", ["replaced", "empty_then_replaced"])
def test_replaced_before_anything_was_sent(server, shape):
    response = server.ask(f"/{shape}")
    assert (response.status, response.reason) == (500, "Oops"), "exc_info replaces the status"
    assert response.header("X-New") == "yes", "and the headers"
    assert response.header("X-Old") is None, "all of them"
    assert response.body == b"replaced", "the body is the new one"


def test_raised_again_after_something_was_sent(server):
    response = server.ask("/raised_again")
    assert response.body == b"sent raised 'the reason'", "start_response raises exc_info"


@pytest.mark.parametrize("shape", ["list", "one", "generator", "stated", "written", "late"])
def test_head(server, shape):
    with server.connect() as connection:
        get = connection.ask(f"/{shape}")
        head = connection.ask(f"/{shape}", "HEAD")
        status = 404 if shape == "late" else 200
        assert (head.status, get.status) == (status, status), "HEAD has the status of GET"
        for response in (head, get):
            assert response.header("Content-Type") == "text/plain", "and its headers"
        if shape == "stated":
            assert head.header("Content-Length") == "11", "and the length that was stated"
        assert connection.ask("/one").body == b"one", "and no body lies in the way"


@pytest.mark.parametrize("line", ["204 No Content", "304 Not Modified"])
def test_no_body_allowed(server, line):
    with server.connect() as connection:
        response = connection.ask("/status?" + line.replace(" ", "%20"))
        assert response.status == int(line[:3]), "the status is the application's"
        assert not response.chunked, "there are no chunks of nothing"
        assert connection.ask("/one").body == b"one", "and its body is not sent"


@pytest.mark.parametrize("line", ["201 Created", "299 Own Words", "404 Not Found", "599 Far"])
def test_status_lines(server, line):
    response = server.ask("/status?" + line.replace(" ", "%20"))
    assert f"{response.status} {response.reason}" == line, "the line is the application's"
    assert response.body == b"body", "and the body too"


def test_more_than_stated(server):
    with server.connect() as connection:
        response = connection.ask("/long")
        assert response.body == b"hello", "no byte more than Content-Length is sent"
        assert connection.ask("/one").body == b"one", "and the connection goes on"
    server.wait_log("Content-Length", "GET /long")


def test_less_than_stated(server):
    with server.connect() as connection, pytest.raises(client.Truncated) as truncated:
        connection.ask("/short")
    assert truncated.value.response.body == b"hello", "what there is, is sent, then the end"
    server.wait_log("Content-Length", "GET /short")
    assert server.ask("/one").body == b"one", "the next request works"


def test_stated_length(server):
    response = server.ask("/stated")
    assert response.header("Content-Length") == "11", "the application's length is used"
    assert response.body == b"onetwothree", "and the body fits"


def test_repeated_fields(server):
    cookies = server.ask("/cookies").all("Set-Cookie")
    assert cookies == ["a=1", "b=2; Path=/"], "each cookie has its own line"


def test_charset(server):
    types = server.ask("/charset").all("Content-Type")
    assert types == ["text/html; charset=koi8-r"], "the charset is sent once"


def test_fields_of_its_own(server):
    response = server.ask("/fields")
    assert response.header("Date") == "Thu, 01 Jan 1970 00:00:00 GMT", "Date is its own"
    assert response.header("Server") == "its own", "Server is its own"
    assert response.header("ETag") == '"abc"', "ETag is its own"
    assert response.header("Last-Modified") == "Thu, 01 Jan 1970 00:00:00 GMT", "and its date"
    assert response.header("Location") == "/elsewhere", "Location is not rewritten"
    assert ", ".join(response.all("Cache-Control")) == "no-store, private", "both of them"


def test_conditional_request_is_the_applications(server):
    condition = [("If-None-Match", '"abc"'), ("If-Modified-Since", "Thu, 01 Jan 1970 00:00:00 GMT")]
    response = server.ask("/fields", headers=condition)
    assert response.status == 200, "nginx does not turn the answer into 304"
    response = server.ask("/fields", headers=[("If-Match", '"other"')])
    assert response.status == 200, "nor into 412"


def test_no_content_type(server):
    assert server.ask("/no_type").header("Content-Type") is None, "none is made up"


def test_latin1_header(server):
    assert server.ask("/latin1").header("X-Name") == "caf\xe9", "é is one byte"


def test_hop_by_hop_fields(server):
    with server.connect() as connection:
        response = connection.ask("/hop")
        assert response.body == b"onetwothree", "the server frames the body, not the application"
        assert len(response.all("Transfer-Encoding")) == 1, "the field is sent once"
        assert connection.ask("/one").body == b"one", "and the connection is the server's too"


def test_close_is_called_once(nginx):
    server = nginx(CONF)
    server.ask("/iterator")
    server.ask("/iterator", "HEAD")
    assert eval(server.ask("/closed").body) == ["same thread"] * 2, "once each, on its thread"
