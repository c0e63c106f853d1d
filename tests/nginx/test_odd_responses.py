"""Responses that are legal and seldom seen, and those that only look so."""

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
        assert (response.status, response.body) == (200, body), "what iterates is a body"
        assert connection.ask("/set").body == b"one", "and the connection goes on"


def test_headers_are_sent_whole(server):
    assert server.ask("/huge_header").header("X-Huge") == "h" * 3000, "a long one"
    response = server.ask("/many_headers")
    assert [response.header(f"X-{n}") for n in range(200)] == [str(n) for n in range(200)], "many"


def test_headers_changed_after_start_response(server):
    response = server.ask("/changed")
    assert response.header("X-Before") == "yes", "what was given to start_response is sent"
    assert response.header("X-After") is None, "and nothing that was not checked"


@pytest.mark.parametrize("shape", ["bytearray", "memoryview", "stop_iteration"])
def test_not_legal(server, shape):
    assert server.ask(f"/{shape}").status == 500, "PEP 3333 does not have it"
    assert server.wait_log("WSGI0", f"GET /{shape}"), "and the log says so, with a number"


def test_len_that_lies(server):
    response = server.ask("/bad_len")
    assert (response.status, response.body) == (200, b"one"), "PEP 3333 lets us rely on len()"
    assert response.header("Content-Length") == "3", "and state a length"
    assert server.wait_log("WSGI0217", "GET /bad_len"), "the log says what was wrong with it"


def test_empty_reason(server):
    assert server.ask("/empty_reason").status == 299, "a reason may be empty"


def test_length_of_head(server):
    response = server.ask("/length_head", "HEAD")
    assert response.header("Content-Length") == "1000", "HEAD may state the length of GET"
