"""Other requests: refused upgrades, large headers, 204 and 304, no trace of earlier requests."""

import json

import pytest
from asking import SITES, WAYS, ask

UPGRADE = [
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("Sec-WebSocket-Version", "13"),
]


@pytest.mark.parametrize("path", ["local", "nowhere"])
@pytest.mark.parametrize("who", SITES)
def test_an_upgrade_is_refused(server, who, path):
    """A server may ignore an upgrade. Werkzeug answers 400, as this page is not a WebSocket."""
    with server.connect() as connection:
        for _ in range(2):
            response = connection.ask(f"/{who}/{path}", headers=UPGRADE)
            ordinary = {"local": 200, "nowhere": 404}[path]
            if who == "flask" and path == "local":
                ordinary = 400
            assert response.status == ordinary, "an ordinary answer"
            assert response.header("Upgrade") is None, "no upgrade"
        assert connection.ask(f"/{who}/local").text == "nothing", "the connection stays HTTP"


def test_a_websocket_of_flask_sock(server):
    """Flask-Sock needs the socket, which WSGI does not have. The log has the reason."""
    with server.connect() as connection:
        response = connection.ask("/flask/socket", headers=UPGRADE)
        assert response.status == 500, "no WebSocket"
        server.wait_log("RuntimeError: Cannot obtain socket from WSGI environment", "/flask/socket")
        if response.header("Connection") != "close":
            assert connection.ask("/flask/local").text == "nothing", "the connection must go on"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("who", SITES)
def test_large_headers_are_complete(server, who, way):
    for size in (10, 7000, 20_000):
        headers = [("X-Large", "z" * size)]
        response = ask(server, way, f"/{who}/head", headers=headers)
        assert (response.status, response.text) == (200, str(size)), "the request's header"
        sent = dict(response.headers)
        assert all(sent[f"x-large-{number}"] == "y" * 200 for number in range(100)), "and these"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("path, status", [("nothing", 204), ("unchanged", 304)])
@pytest.mark.parametrize("who", SITES)
def test_an_answer_without_a_body(server, who, path, status, way):
    response = ask(server, way, f"/{who}/{path}")
    assert (response.status, response.body) == (status, b""), "no body"
    with server.connect() as connection:
        for method in ("GET", "HEAD", "GET"):
            assert connection.ask(f"/{who}/{path}", method).status in (status, 405)
        assert connection.ask(f"/{who}/local").text == "nothing", "no byte is left"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("who", SITES)
def test_asynchronous_views_run(server, who, way):
    """Flask and Django run `async def` on a thread of asgiref. The others call asyncio."""
    made = ask(server, way, f"/{who}/async").json()
    assert made == {"sum": 3, "exit": 0, "path": f"/{who}/async"}, "tasks, a process, the request"


@pytest.mark.parametrize("who", SITES)
def test_a_request_leaves_nothing_to_the_next(server, who):
    for path in ("local", "fails", "nothing", "local", "cookies", "nowhere", "async"):
        server.ask(f"/{who}/{path}")
        assert server.ask(f"/{who}/local").text == "nothing", f"of /{path}"


def test_pyramid_copies_its_request(server):
    """WebOb copies environ and the body. A request within a request has its own."""
    headers = [("Content-Type", "application/json")]
    for place in ("", "arriving/"):
        body = json.dumps({"a": "b" * 200_000}).encode()
        response = server.ask(f"/{place}pyramid/within", "POST", headers=headers, body=body)
        made = json.loads(response.body)
        assert made == {"inner": {"got": json.loads(body)}, "outer": json.loads(body)}, "both"


def test_copies_of_environ(server):
    made = json.loads(server.ask("/flask/environ").body)
    assert made["copy"] == "the same", "Django and WebOb use copy.copy()"
    assert made["deepcopy"].startswith("TypeError"), "a body and a log cannot be copied"
    assert "libwsgi" in made["repr"] or "<" in made["repr"], "every value has a repr"
