"""Streams of frameworks: piece by piece, closed if the client leaves, each with its own request."""

import pytest
from asking import SITES

from leaver import Leaver

pytestmark = pytest.mark.not_inline("a stream that waits would hold up all other requests")


@pytest.mark.parametrize("who", SITES)
def test_pieces_arrive_one_by_one(server, gate, who):
    stop = gate()
    with server.connect() as connection:
        connection.send_request(f"/{who}/stream?{stop.query}")
        response = connection.read_head()
        assert response.status == 200, "it begins"
        assert connection.read_chunk(response) == b"first", "the first piece is sent at once"
        stop.open()
        assert list(connection.pieces(response)) == [b"second"], "the second when it is yielded"
        assert connection.ask(f"/{who}/local").text == "nothing", "the connection must go on"


@pytest.mark.parametrize("way", ["close", "h2 reset"])
@pytest.mark.parametrize("who", SITES)
def test_a_client_leaves_a_stream(server, gate, who, way):
    stop = gate()
    before = len(server.log_lines(f"{who}: the stream was left"))
    with Leaver(server, way, f"/{who}/stream?{stop.query}") as leaving:
        leaving.wait_piece()
        stop.wait()
        leaving.leave()
        server.wait_access(f"/{who}/stream?{stop.query} ", " 499 ")
    stop.shut()
    server.wait_log(f"{who}: the stream was left", count=before + 1)
    assert server.ask(f"/{who}/local").text == "nothing", "no trace of it is left"


@pytest.mark.parametrize("who", SITES)
def test_head_of_a_stream_has_no_body(server, gate, who):
    """Frameworks differ: some call the view, and none sends a body."""
    stop = gate()
    with server.connect() as connection:
        response = connection.ask(f"/{who}/stream?{stop.query}", "HEAD")
        assert response.body == b"", "no body for HEAD"
        assert connection.ask(f"/{who}/local").text == "nothing", "the connection must go on"


def test_a_generator_that_reads_its_request(server, gate):
    """Flask keeps one request for each stream, also if another request arrives meanwhile."""
    stops = [gate(), gate()]
    connections = [server.connect(), server.connect()]
    responses = []
    for connection, stop in zip(connections, stops):
        connection.send_request(f"/flask/context?{stop.query}")
        responses.append(connection.read_head())
        assert connection.read_chunk(responses[-1]) == b"first", "both have begun"
    for connection, stop, response in zip(connections, stops, responses):
        stop.open()
        assert connection.read_chunk(response).decode() == stop.query, "each reads its own"
        connection.close()
