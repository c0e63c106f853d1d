"""A site on nginx's own thread: responses that wait for slow clients take turns on it."""

import pytest
from serving import prepare

pytestmark = pytest.mark.not_inline("the file sets wsgi_threads 0 itself")

CONF = "location / { wsgi_app /srv/flask_site.py app; }"


@pytest.fixture
def server(nginx, virtualenv):
    return prepare(nginx, virtualenv, CONF, "wsgi_threads 0; wsgi_buffer_size 128k;").start()


def test_each_response_has_its_own_context(server):
    """Flask keeps the request in a contextvar, of which a thread has one context."""
    names = ["one", "two", "three"]
    connections = [server.connect(receive_buffer=4096) for _ in names]
    responses = []
    for connection, name in zip(connections, names):
        connection.send_request(f"/many?{name}")
        responses.append(connection.read_head())
    assert server.ask("/local").text == "nothing", "the others wait, and leave nothing behind"
    for connection, response, name in zip(connections, responses, names):
        words = b"".join(connection.pieces(response)).decode().split()
        assert words == [name] * 40, "each goes on where it was"
        connection.close()
    assert server.ask("/local").text == "nothing", "and nothing is left behind"
