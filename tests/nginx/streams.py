"""What HTTP/2 and HTTP/3 have in common: several streams on one connection."""

import pytest

SIZES = [0, 1, 100_000]
TRUNCATED = pytest.mark.parametrize("way", ["raises_after_chunk", "raises_after_length"])


def assert_side_by_side(connection):
    streams = [connection.send(f"/{shape}") for shape in ("list", "generator", "one") * 3]
    bodies = [bytes(connection.response(stream).body) for stream in streams]
    assert bodies == [b"onetwothree", b"onetwothree", b"one"] * 3, "each stream must get its answer"


def assert_goes_on(connection, what="the connection must go on"):
    assert connection.ask("/one").body == b"one", what


def assert_body_arrives(connection, size):
    response = connection.ask("/input/length", method="POST", body=b"x" * size)
    assert eval(response.body) == [str(size), size], "the whole body, with its length"


def assert_body_may_stay_unread(connection):
    response = connection.ask("/input/unread", method="POST", body=b"x" * 50_000)
    assert response.body == b"'not read'", "an application need not read the body"
    assert_goes_on(connection)


def assert_pieces_arrive_one_by_one(connection, gate):
    stop = gate()
    stream = connection.send(f"/wait/stream?{stop.query}")
    connection.wait(stream, lambda response: response.body == b"first")
    stop.open()
    assert connection.response(stream).body == b"firstsecond", "each piece when it was yielded"


def assert_truncation_resets_the_stream(connection, way):
    response = connection.response(connection.send(f"/errors/{way}"))
    assert response.reset and not response.ended, "the server must reset the stream, not end it"
    assert_goes_on(connection, "the other streams must go on")


def assert_error_before_headers(connection):
    assert connection.ask("/errors/raises").status == 500, "an exception is a 500"
    assert_goes_on(connection)
