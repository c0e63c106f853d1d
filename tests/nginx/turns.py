"""Responses to slow clients that alternate on nginx's own thread."""

WORDS = ["one", "two", "three"]


def assert_contexts_of_their_own(server, path, other, unset):
    """`path` sets its query in its context, and shows it 40 times; `other` shows its own context."""
    connections = [server.connect(receive_buffer=4096) for _ in WORDS]
    responses = []
    for connection, word in zip(connections, WORDS):
        connection.send_request(f"{path}?{word}")
        responses.append(connection.read_head())
    assert server.ask(other).text == unset, "another request has another context"
    for connection, response, word in zip(connections, responses, WORDS):
        shown = b"".join(connection.pieces(response)).decode().split()
        assert shown == [word] * 40, "a response keeps its own context"
        assert connection.ask(other).text == unset, "the next request has a new context"
        connection.close()
