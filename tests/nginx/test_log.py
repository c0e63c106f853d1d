"""The output of applications goes to the error log, one line for each line, with its request."""

import re

import pytest


CONF = "location / { wsgi_app @APPS@/talk.py app; }"


@pytest.fixture(scope="module")
def server(module_nginx):
    return module_nginx(CONF)


def said(server, request, *words):
    """The one line with these words, which also names client and request."""
    lines = server.wait_log(*words, f'request: "{request}')
    assert len(lines) == 1, "there must be one line"
    assert "client: 127.0.0.1" in lines[0], "the line names the client"
    return lines[0]


@pytest.mark.parametrize(
    "way",
    [
        "print",
        "stderr",
        "errors",
        "errors_print",
        "warning",
        "logging",
        "unfinished",
        "surrogate",
        "buffer",
    ],
)
def test_each_way_to_write_to_the_log(server, way):
    assert server.ask(f"/{way}?words-of-{way}").status == 200, "the answer must be right"
    line = server.wait_log(f"words-of-{way}", f'"GET /{way}?words', "client: 127.0.0.1")[0]
    message = line.split(", client: ")[0]
    assert f"words-of-{way}" in message, "the log must have the words"


def test_each_line_is_a_line_of_the_log(server):
    server.ask("/errors_lines?some")
    said(server, "GET /errors_lines?some ", "some one")
    said(server, "GET /errors_lines?some ", "some two")


def test_a_long_line_is_divided_and_complete(server):
    server.ask("/long?10000")
    server.wait_log("x>", "GET /long?10000")
    pieces = [re.search("<?x+>?", line) for line in server.log_lines("xxx", "GET /long?10000")]
    text = "".join(piece[0] for piece in pieces)
    assert text == "<" + "x" * 10000 + ">", "every letter in order"
    assert len(pieces) > 1, "in more than one line"


def test_a_flood_of_lines_is_complete(server):
    server.ask("/flood?5000")
    lines = server.wait_log("of the flood", "client: 127.0.0.1", '"GET /flood', count=5000)
    numbers = [int(re.search(r"line (\d+) of", line)[1]) for line in lines]
    assert numbers == list(range(5000)), "every line in order"


def test_stdin_is_empty(server):
    server.ask("/stdin?stdin-is")
    said(server, "GET /stdin", "stdin-is ''")


def test_letters_beyond_ascii_are_logged(server):
    server.ask("/bytes?%E2%82%AC-%C3%A9-%F0%9F%90%8D")
    said(server, "GET /bytes", "\u20ac-\u00e9-\U0001f40d")


def test_control_characters_cannot_forge_a_line(server):
    server.ask("/print?a%0D%1B[31m%00b")
    line = server.wait_log("[31m", "GET /print?a")[0]
    assert "\x1b" not in line.split("request:")[0], "the log must not have an escape sequence"
    assert "\0" not in line, "nor a NUL"


REFERER = b"http://one/\x1b[2J\x08\x7f\x9b\xff\xc2\x9b\xe2\x80\xae\xed\xa0\x80\xf0\x80\x80\x80 caf\xc3\xa9 \xf0\x9f\x90\x8d"


def test_a_line_s_request_has_no_control_characters(server):
    with server.connect() as connection:
        connection.send(
            b"GET /print?harmless HTTP/1.1\r\nHost: localhost\r\nReferer: " + REFERER + b"\r\n\r\n"
        )
        assert connection.read_response().status == 200
    (line,) = server.wait_log("harmless", "referrer: ")
    assert line.endswith('referrer: "http://one/?[2J???????????????? caf\xe9 \U0001f40d"'), line


@pytest.mark.not_inline("one of the two waits for the other")
def test_lines_of_two_threads_are_not_mixed(server):
    with server.connect() as one, server.connect() as two:
        one.send_request("/pair?one")
        two.send_request("/pair?two")
        assert one.read_response().status == 200, "both are answered"
        assert two.read_response().status == 200, "both are answered"
    for words in ("one", "two"):
        lines = server.wait_log(f'"GET /pair?{words} ', count=50)
        messages = [re.search(r"(\w+) says (\d+)", line).groups() for line in lines]
        expected = [(words, str(number)) for number in range(50)]
        assert messages == expected, "each line must be complete, with its own request"


def test_a_thread_may_log_after_the_request(server, gate):
    stop = gate()
    server.ask("/thread?from-a-thread", headers=[("X-Gate", str(stop.path))])
    stop.open()
    line = server.wait_log("from-a-thread")[0]
    assert "from-a-thread" in line.split(", client: ")[0], "the log has its line"


def test_a_thread_may_log_while_its_request_waits_for_it(server):
    """It logs more than may wait for nginx. On nginx's own thread the request stops the loop."""
    assert server.ask("/joined?5000").status == 200, "the request must end"
    lines = server.wait_log("of a thread xxx", count=5000)
    numbers = [int(re.search(r"line (\d+) of", line)[1]) for line in lines]
    assert numbers == list(range(5000)), "every line in order"


def test_wsgi_errors_of_an_earlier_request(server):
    server.ask("/print?first")
    server.ask("/kept?late-words")
    lines = server.wait_log("late-words")
    lines = [line for line in lines if "GET /kept" not in line]
    messages = [line.split(": ", 1)[1] for line in lines]
    assert messages == ["late-words in two pieces"], "without a request"
