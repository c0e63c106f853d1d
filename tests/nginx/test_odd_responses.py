"""Responses that are legal but rare, and responses that only look legal."""

import pytest

CONF = "location / { wsgi_app @APPS@/odd.py app; }"


@pytest.fixture(scope="module")
def server(module_nginx):
    return module_nginx(CONF)


@pytest.mark.parametrize(
    "shape, body",
    [
        ("getitem", b"onetwo"),
        ("dict", b"onetwo"),
        ("set", b"one"),
        ("file", b"one\ntwo\n"),
        ("bytes_subclass", b"text"),
        ("str_subclass", b"text"),
        ("changed", b"changed"),
        ("no_close", b"text"),
        ("thousand", b"x" * 1000),
        ("huge_header", b"text"),
        ("many_headers", b"text"),
        ("nested", b"abc"),
    ],
)
def test_legal(server, shape, body):
    with server.connect() as connection:
        response = connection.ask(f"/{shape}")
        assert (response.status, response.body) == (200, body), "any iterable is a body"
        assert connection.ask("/set").body == b"one", "the connection must go on"


def test_many_and_large_headers_are_sent(server):
    assert server.ask("/huge_header").header("X-Huge") == "h" * 3000, "a long one"
    response = server.ask("/many_headers")
    assert [response.header(f"X-{n}") for n in range(200)] == [str(n) for n in range(200)], "many"


def test_headers_changed_after_start_response_are_ignored(server):
    response = server.ask("/changed")
    assert response.header("X-Before") == "yes", "the headers at the call are sent"
    assert response.header("X-After") is None, "a header that was not checked is not sent"


@pytest.mark.parametrize("shape", ["bytearray", "memoryview", "stop_iteration"])
def test_not_legal(server, shape):
    assert server.ask(f"/{shape}").status == 500, "PEP 3333 does not allow it"
    assert server.wait_log("WSGI0", f"GET /{shape}"), "the log has a line with a number"


def test_len_that_lies(server):
    response = server.ask("/bad_len")
    assert (response.status, response.body) == (200, b"one"), "PEP 3333 lets a server use len()"
    assert response.header("Content-Length") == "3", "so the length is stated"
    assert server.wait_log("WSGI0217", "GET /bad_len"), "the log has the error"


def test_a_reason_may_be_empty(server):
    assert server.ask("/empty_reason").status == 299, "a status line without a reason"


def test_head_may_state_the_length_of_get(server):
    response = server.ask("/length_head", "HEAD")
    assert response.header("Content-Length") == "1000", "without a body"
