"""Responses of every shape, as the client receives them."""

import pytest

import client

CONF = "location / { wsgi_app @APPS@/response.py app; }"


@pytest.fixture(scope="module")
def server(module_nginx):
    return module_nginx(CONF)


@pytest.mark.parametrize("shape", ["list", "tuple", "generator", "iterator", "empty_chunks"])
def test_each_iterable_is_sent_in_order(server, shape):
    expected = b"onetwo" if shape == "empty_chunks" else b"onetwothree"
    with server.connect() as connection:
        assert connection.ask(f"/{shape}").body == expected, "every piece is sent, in order"
        assert connection.ask(f"/{shape}").body == expected, "the connection must go on"


@pytest.mark.parametrize("shape", ["empty_list", "only_empty"])
def test_an_empty_body_is_sent(server, shape):
    with server.connect() as connection:
        response = connection.ask(f"/{shape}")
        assert (response.status, response.body) == (200, b""), "an empty body is a body"
        assert connection.ask("/one").body == b"one", "the connection must go on"


def test_one_piece_has_a_length(server):
    response = server.ask("/one")
    assert response.header("Content-Length") == "3", "len() was 1, so the length is known"
    assert not response.chunked, "it needs no chunks"


def test_a_body_of_unknown_length_is_chunked(server):
    response = server.ask("/generator")
    assert response.chunked, "over HTTP/1.1"
    assert response.header("Content-Length") is None, "without a length"


def test_http_1_0(server):
    with server.connect() as connection:
        response = connection.ask("/generator", version="HTTP/1.0")
        assert not response.chunked, "HTTP/1.0 has no chunks"
        assert response.body == b"onetwothree", "the connection ends after the body"
    with server.connect() as connection:
        keep = [("Connection", "keep-alive")]
        response = connection.ask("/one", version="HTTP/1.0", headers=keep)
        assert response.header("Connection") == "keep-alive", "with a length it goes on"
        assert connection.ask("/one", version="HTTP/1.0", headers=keep).body == b"one", "and does"


def test_write_sends_before_the_iterable(server):
    assert server.ask("/written").body == b"abc", "first write(), then the iterable"
    assert server.ask("/written_only").body == b"a", "write() alone"


def test_late_start_response(server):
    response = server.ask("/late")
    assert response.status == 404, "a generator may call start_response"
    assert response.header("X-Late") == "yes", "with headers"
    assert response.body == b"late", "and then yield"
    assert server.ask("/late_empty").body == b"late", "also after an empty piece"


@pytest.mark.parametrize("shape", ["replaced", "empty_then_replaced"])
def test_exc_info_replaces_the_head_before_anything_was_sent(server, shape):
    response = server.ask(f"/{shape}")
    assert (response.status, response.reason) == (500, "Oops"), "the status"
    assert response.header("X-New") == "yes", "the headers"
    assert response.header("X-Old") is None, "all headers"
    assert response.body == b"replaced", "the body"


def test_exc_info_is_raised_again_after_something_was_sent(server):
    response = server.ask("/raised_again")
    assert response.body == b"sent raised 'the reason'", "by start_response"


@pytest.mark.parametrize("shape", ["list", "one", "generator", "stated", "written", "late"])
def test_head_has_the_head_of_get(server, shape):
    with server.connect() as connection:
        get = connection.ask(f"/{shape}")
        head = connection.ask(f"/{shape}", "HEAD")
        status = 404 if shape == "late" else 200
        assert (head.status, get.status) == (status, status), "the status of GET"
        for response in (head, get):
            assert response.header("Content-Type") == "text/plain", "the headers of GET"
        if shape == "stated":
            assert head.header("Content-Length") == "11", "the length that was stated"
        assert connection.ask("/one").body == b"one", "no body is left"


@pytest.mark.parametrize("line", ["204 No Content", "304 Not Modified"])
def test_no_body_allowed(server, line):
    with server.connect() as connection:
        response = connection.ask("/status?" + line.replace(" ", "%20"))
        assert response.status == int(line[:3]), "the status is the application's"
        assert not response.chunked, "there may be no chunks"
        assert connection.ask("/one").body == b"one", "no body is left"


@pytest.mark.parametrize("line", ["201 Created", "299 Own Words", "404 Not Found", "599 Far"])
def test_a_status_line_is_sent_unchanged(server, line):
    response = server.ask("/status?" + line.replace(" ", "%20"))
    assert f"{response.status} {response.reason}" == line, "the application's line"
    assert response.body == b"body", "the application's body"


def test_bytes_above_content_length_are_not_sent(server):
    with server.connect() as connection:
        response = connection.ask("/long")
        assert response.body == b"hello", "only the stated number of bytes"
        assert connection.ask("/one").body == b"one", "the connection must go on"
    server.wait_log("Content-Length", "GET /long")


def test_bytes_below_content_length_truncate_the_response(server):
    with server.connect() as connection, pytest.raises(client.Truncated) as truncated:
        connection.ask("/short")
    assert truncated.value.response.body == b"hello", "the given bytes, then the end"
    server.wait_log("Content-Length", "GET /short")
    assert server.ask("/one").body == b"one", "the next request must work"


def test_a_stated_length_is_sent(server):
    response = server.ask("/stated")
    assert response.header("Content-Length") == "11", "the application's length"
    assert response.body == b"onetwothree", "with a body of this length"


def test_repeated_fields_stay_separate(server):
    cookies = server.ask("/cookies").all("Set-Cookie")
    assert cookies == ["a=1", "b=2; Path=/"], "a line for each cookie"


def test_a_charset_is_sent_once(server):
    types = server.ask("/charset").all("Content-Type")
    assert types == ["text/html; charset=koi8-r"], "as the application states it"


def test_fields_of_the_application_are_sent(server):
    response = server.ask("/fields")
    assert response.header("Date") == "Thu, 01 Jan 1970 00:00:00 GMT", "not nginx's Date"
    assert response.header("Server") == "its own", "not nginx's Server"
    assert response.header("ETag") == '"abc"', "ETag"
    assert response.header("Last-Modified") == "Thu, 01 Jan 1970 00:00:00 GMT", "Last-Modified"
    assert response.header("Location") == "/elsewhere", "nginx must not rewrite it"
    assert ", ".join(response.all("Cache-Control")) == "no-store, private", "both fields"


def test_a_condition_is_the_application_s(server):
    condition = [("If-None-Match", '"abc"'), ("If-Modified-Since", "Thu, 01 Jan 1970 00:00:00 GMT")]
    response = server.ask("/fields", headers=condition)
    assert response.status == 200, "nginx must not answer 304"
    response = server.ask("/fields", headers=[("If-Match", '"other"')])
    assert response.status == 200, "nor into 412"


def test_no_content_type(server):
    assert server.ask("/no_type").header("Content-Type") is None, "nginx must not add a type"


def test_a_header_may_have_latin1(server):
    assert server.ask("/latin1").header("X-Name") == "caf\xe9", "é is one byte"


def test_hop_by_hop_fields_of_the_application_are_not_sent(server):
    with server.connect() as connection:
        response = connection.ask("/hop")
        assert response.body == b"onetwothree", "the server frames the body"
        assert len(response.all("Transfer-Encoding")) == 1, "the server's field alone"
        assert connection.ask("/one").body == b"one", "the server keeps the connection"


def test_close_is_called_once(nginx):
    server = nginx(CONF)
    server.ask("/iterator")
    server.ask("/iterator", "HEAD")
    assert eval(server.ask("/closed").body) == ["same thread"] * 2, "once each, on its thread"
