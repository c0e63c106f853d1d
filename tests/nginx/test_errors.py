"""Applications that fail: a clear log line, the right answer, and a next request that works."""

import pytest

import client
import validated

CONF = "location / { wsgi_app @APPS@/errors.py app; }"


@pytest.fixture(scope="module")
def server(module_nginx):
    return module_nginx(CONF)


def assert_logged(server, request, *words):
    """The log has a line with all of `words`, which also names the client and the request."""
    line = server.wait_log(*words, f'request: "{request}')[0]
    assert "client: 127.0.0.1" in line, "the line names the client"


def assert_works(server):
    assert server.ask("/ok").body == b"ok", "the next request works"


BEFORE = [
    ("raises", "ValueError: on purpose"),
    ("raises_after_start", "ValueError: on purpose"),
    ("system_exit", "SystemExit: 3"),
    ("keyboard_interrupt", "KeyboardInterrupt: on purpose"),
    ("generator_exit", "GeneratorExit: on purpose"),
    ("memory_error", "MemoryError: on purpose"),
    ("recursion", "RecursionError"),
    ("chain", "RuntimeError: the effect"),
    ("bad_exception", "Unprintable"),
    ("str_body", "str"),
    ("int_body", "int"),
    ("bare_bytes", "bytes"),
    ("bare_str", "str"),
    ("none", "None"),
    ("number", "int"),
    ("no_start", "start_response"),
    ("no_start_empty", "start_response"),
    ("started_twice", "start_response"),
    ("written_str", "bytes"),
]


@pytest.mark.parametrize("way, words", BEFORE)
def test_a_failure_before_the_headers_is_a_500(server, way, words):
    response = server.ask(f"/{way}")
    assert response.status == 500, "nothing was sent, so the answer is 500"
    assert b"Traceback" not in response.body, "the client must not see the reason"
    assert_logged(server, f"GET /{way} ", words)
    assert_works(server)


def test_the_log_has_the_whole_traceback(server):
    server.ask("/chain?whole")
    request = "GET /chain?whole "
    for words in (
        "Traceback (most recent call last)",
        "KeyError: 'the cause'",
        "The above exception was the direct cause",
        "in chain",
        "errors.py",
        "RuntimeError: the effect",
    ):
        assert_logged(server, request, words)


AFTER = [
    ("raises_after_chunk", "ValueError: on purpose", b"first"),
    ("raises_after_length", "ValueError: on purpose", b"first"),
    ("system_exit_later", "SystemExit: 3", b"first"),
    ("str_later", "str", b"first"),
]


@pytest.mark.parametrize("way, words, sent", AFTER)
def test_a_failure_after_the_headers_truncates_the_response(server, way, words, sent):
    with server.connect() as connection, pytest.raises(client.Truncated) as truncated:
        connection.ask(f"/{way}")
    response = truncated.value.response
    assert response.status == 200, "the status was sent before"
    assert sent.startswith(response.body), "only yielded bytes may be sent"
    assert_logged(server, f"GET /{way} ", words)
    assert_works(server)


def test_yielded_bytes_are_sent_before_the_failure(server):
    with server.connect() as connection:
        connection.send_request("/raises_after_chunk")
        answer = connection.read_to_end()
    assert answer.endswith(b"5\r\nfirst\r\n"), "the piece must arrive, and no last chunk"


def test_pipelined_requests_after_a_truncation_are_not_answered(server):
    with server.connect() as connection:
        connection.send(
            client.request_bytes("/raises_after_chunk") + client.request_bytes("/ok")
        )
        answer = connection.read_to_end()
    assert answer.count(b"HTTP/1.1") == 1, "the connection must end with the truncated response"


def test_an_exception_in_close_is_logged(server):
    with server.connect() as connection:
        response = connection.ask("/raises_in_close")
        assert response.body == b"whole", "the body was complete before"
    assert_logged(server, "GET /raises_in_close ", "ValueError: on purpose")
    assert_works(server)


def test_close_is_called_after_failures(nginx):
    server = nginx(CONF)
    for count, way in enumerate(("raises_after_start", "str_body", "int_body"), 1):
        server.ask(f"/{way}")
        assert server.ask("/closed").body == b"%d" % count, f"close() after {way}"
    with pytest.raises(client.Truncated):
        server.ask("/raises_after_chunk")
    assert server.ask("/closed").body == b"4", "close() after a failure behind the headers"


BAD_HEADERS = [
    ("X-Broken=a%0D%0AX-Injected:%20b", "a line break"),
    ("X-Broken=a%0AX-Injected:%20b", "a line feed"),
    ("X-Broken=a%0Db", "a carriage return"),
    ("X-Broken=a%00b", "a NUL"),
    ("X-Broken=a%01b", "a control character"),
    ("X%20Broken=a", "a space in the name"),
    ("X:Broken=a", "a colon in the name"),
    ("X%0D%0ABroken=a", "a line break in the name"),
    ("X-Broken%09=a", "a tab in the name"),
    ("X-Broken%00=a", "a NUL in the name"),
    ("X(Broken)=a", "brackets in the name"),
    ("X/Broken=a", "a slash in the name"),
    ("%22X-Broken%22=a", "quotes in the name"),
    ("X-Broken%3A=a", "a colon at its end"),
    ("X-%C3%A9=a", "a letter beyond ASCII in the name"),
    ("X-Broken=a%7F", "a DEL at the end"),
    ("X-Broken=a%0A", "a line feed at the end"),
    ("=a", "no name"),
    ("X-Broken=%E2%82%AC", "a character beyond Latin-1"),
    ("X-%E2%82%AC=a", "a name beyond ASCII"),
    ("Content-Length=five", "a length of letters"),
    ("Content-Length=-5", "a negative length"),
    ("Content-Length=99999999999999999999999", "a length that is too large"),
]


@pytest.mark.parametrize("field", [b[0] for b in BAD_HEADERS], ids=[b[1] for b in BAD_HEADERS])
def test_an_invalid_header_field_is_refused(server, field):
    response = server.ask(f"/header?{field}")
    assert response.status == 500, "start_response must refuse it"
    assert response.header("X-Injected") is None, "no part of it may be sent"
    assert_logged(server, f"GET /header?{field} ", "Error")
    assert_works(server)


HOP_BY_HOP = "Connection Keep-Alive Proxy-Authenticate Proxy-Authorization Proxy-Connection TE"


@pytest.mark.parametrize("name", [*HOP_BY_HOP.split(), "trailer", "TRANSFER-ENCODING", "Upgrade"])
def test_a_hop_by_hop_field_is_left_out(server, name):
    with server.connect() as connection:
        response = connection.ask(f"/header?{name}=mine")
        assert response.body == b"sent", "the rest of the response is sent"
        assert "mine" not in response.all(name), "the field is not sent"
        assert connection.ask("/ok").body == b"ok", "the connection must go on"
    line = server.wait_log("WSGI0206", f"response header {name} ('mine')")[0]
    # The caller of start_response is the middleware, if there is one.
    caller = "validate.py:" if validated.WANTED else "errors.py:"
    assert "[warn]" in line and caller in line, "a warning names the field and the caller"


BAD_STATUS = [
    ("", "empty"),
    ("OK", "no number"),
    ("2 OK", "one digit"),
    ("2000 OK", "four digits"),
    ("099 Low", "too low"),
    ("100 Continue", "not final"),
    ("abc", "letters"),
    ("200%0D%0AX-Injected:%20a", "a line break"),
    ("200 %E2%82%AC", "beyond Latin-1"),
]


@pytest.mark.parametrize("line", [b[0] for b in BAD_STATUS], ids=[b[1] for b in BAD_STATUS])
def test_an_invalid_status_line_is_refused(server, line):
    line = line.replace(" ", "%20")
    response = server.ask(f"/status?{line}")
    assert response.status == 500, "start_response must refuse it"
    assert response.header("X-Injected") is None, "no part of it may be sent"
    assert_logged(server, f"GET /status?{line} ", "Error")
    assert_works(server)


BAD_LISTS = [
    "None",
    "7",
    "{}",
    "(('X-A','b'),)",
    "[('X-A',)]",
    "[('X-A','b','c')]",
    "['ab']",
    "[['X-A','b']]",
    "[(b'X-A',b'b')]",
    "[('X-A',7)]",
    "[('X-A',None)]",
    "[(7,'b')]",
]


@pytest.mark.parametrize("expression", BAD_LISTS)
def test_bad_lists_of_headers(server, expression):
    response = server.ask(f"/headers?{expression}")
    assert response.status == 500, "headers must be a list of tuples of two strings"
    assert_logged(server, f"GET /headers?{expression} ", "TypeError")
    assert_works(server)
