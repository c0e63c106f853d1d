"""What applications print goes to the error log, a line a line, with the request it belongs to."""

import re

import pytest


CONF = "location / { wsgi_app @APPS@/talk.py app; }"


@pytest.fixture(scope="module")
def server(module_nginx):
    return module_nginx(CONF)


def said(server, request, *words):
    """The one line with these words, which names client and request."""
    lines = server.wait_log(*words, f'request: "{request}')
    assert len(lines) == 1, "it is said once"
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
def test_ways_to_say_it(server, way):
    assert server.ask(f"/{way}?words-of-{way}").status == 200, "the answer is not disturbed"
    line = server.wait_log(f"words-of-{way}", f'"GET /{way}?words', "client: 127.0.0.1")[0]
    message = line.split(", client: ")[0]
    assert f"words-of-{way}" in message, "the words are in the log"


def test_lines_are_lines(server):
    server.ask("/errors_lines?some")
    said(server, "GET /errors_lines?some ", "some one")
    said(server, "GET /errors_lines?some ", "some two")


def test_long_lines_are_split_and_not_cut(server):
    server.ask("/long?10000")
    server.wait_log("x>", "GET /long?10000")
    pieces = [re.search("<?x+>?", line) for line in server.log_lines("xxx", "GET /long?10000")]
    text = "".join(piece[0] for piece in pieces)
    assert text == "<" + "x" * 10000 + ">", "every letter is there, in order"
    assert len(pieces) > 1, "in more than one line"


def test_flood_is_whole(server):
    server.ask("/flood?5000")
    lines = server.wait_log("of the flood", "client: 127.0.0.1", '"GET /flood', count=5000)
    numbers = [int(re.search(r"line (\d+) of", line)[1]) for line in lines]
    assert numbers == list(range(5000)), "no line is lost, and none overtakes another"


def test_stdin_is_empty(server):
    server.ask("/stdin?stdin-is")
    said(server, "GET /stdin", "stdin-is ''")


def test_letters_beyond_ascii(server):
    server.ask("/bytes?%E2%82%AC-%C3%A9-%F0%9F%90%8D")
    said(server, "GET /bytes", "\u20ac-\u00e9-\U0001f40d")


def test_control_characters_cannot_forge_a_line(server):
    server.ask("/print?a%0D%1B[31m%00b")
    line = server.wait_log("[31m", "GET /print?a")[0]
    assert "\x1b" not in line.split("request:")[0], "an escape sequence is not passed on"
    assert "\0" not in line, "nor a NUL"


REFERER = b"http://one/\x1b[2J\x08\x7f\x9b\xff\xc2\x9b\xe2\x80\xae\xed\xa0\x80\xf0\x80\x80\x80 caf\xc3\xa9 \xf0\x9f\x90\x8d"


def test_what_nginx_says_of_the_request_drives_no_terminal(server):
    with server.connect() as connection:
        connection.send(
            b"GET /print?harmless HTTP/1.1\r\nHost: localhost\r\nReferer: " + REFERER + b"\r\n\r\n"
        )
        assert connection.read_response().status == 200
    (line,) = server.wait_log("harmless", "referrer: ")
    assert line.endswith('referrer: "http://one/?[2J???????????????? caf\xe9 \U0001f40d"'), line


@pytest.mark.not_inline("one of the two waits for the other")
def test_two_threads_are_never_mixed(server):
    with server.connect() as one, server.connect() as two:
        one.send_request("/pair?one")
        two.send_request("/pair?two")
        assert one.read_response().status == 200, "both are answered"
        assert two.read_response().status == 200, "both are answered"
    for words in ("one", "two"):
        lines = server.wait_log(f'"GET /pair?{words} ', count=50)
        messages = [re.search(r"(\w+) says (\d+)", line).groups() for line in lines]
        expected = [(words, str(number)) for number in range(50)]
        assert messages == expected, "each line is whole, and belongs to its request"


def test_words_after_the_request(server, gate):
    stop = gate()
    server.ask("/thread?from-a-thread", headers=[("X-Gate", str(stop.path))])
    stop.open()
    line = server.wait_log("from-a-thread")[0]
    assert "from-a-thread" in line.split(", client: ")[0], "a thread of its own is heard"


def test_a_thread_is_heard_while_its_request_waits_for_it(server):
    """More than what may wait for nginx: its own thread, if that is it who waits, cannot write it."""
    assert server.ask("/joined?5000").status == 200, "nothing waits for nginx's thread but nginx"
    lines = server.wait_log("of a thread xxx", count=5000)
    numbers = [int(re.search(r"line (\d+) of", line)[1]) for line in lines]
    assert numbers == list(range(5000)), "no line is lost, and none overtakes another"


def test_errors_of_the_request_before(server):
    server.ask("/print?first")
    server.ask("/kept?late-words")
    lines = server.wait_log("late-words")
    lines = [line for line in lines if "GET /kept" not in line]
    assert [line.split(": ", 1)[1] for line in lines] == ["late-words in two pieces"], "it comes without a request"
