"""The harness itself, with an nginx without the module: it must notice failures."""

import os
import signal

import pytest

import client
import runs
from server import Nginx

pytestmark = [
    pytest.mark.not_inline("no application runs"),
    pytest.mark.not_validated("no application runs"),
]

PLAIN = """
    location = /hello { return 200 "hello"; }
    location = /read { client_max_body_size 1k; proxy_pass http://127.0.0.1:@PORT@/hello; }
"""


@pytest.fixture
def plain(nginx):
    return nginx(PLAIN, module=None)


def test_client_reads_pipelined_responses(plain):
    with plain.connect() as connection:
        connection.send(client.request_bytes("/hello") + client.request_bytes("/none"))
        assert connection.read_response().body == b"hello", "the whole first response"
        assert connection.read_response().status == 404, "then the second response"


def test_client_reads_no_body_after_head(plain):
    with plain.connect() as connection:
        response = connection.ask("/hello", "HEAD")
        assert response.header("Content-Length") == "5", "HEAD states the length"
        assert connection.ask("/hello").body == b"hello", "no body was left"


def test_client_sends_chunks(plain):
    with plain.connect() as connection:
        connection.send_request(
            "/read", method="POST", headers=[("Transfer-Encoding", "chunked")]
        )
        connection.send_chunk(b"x" * 2000)
        connection.send_chunk(b"")
        assert connection.read_response().status == 413, "nginx reads and counts the chunks"


def test_alarms_in_the_log_fail_the_test(tmp_path):
    server = Nginx(tmp_path, PLAIN, module=None).start()
    os.kill(server.workers()[0], signal.SIGKILL)
    server.wait_log("exited on signal 9")
    with pytest.raises(AssertionError, match="exited on signal 9"):
        server.finish()


def test_expected_alarms_do_not_fail_the_test(tmp_path):
    server = Nginx(tmp_path, PLAIN, module=None).start()
    server.expect("exited on signal 9")
    os.kill(server.workers()[0], signal.SIGKILL)
    server.wait_log("exited on signal 9")
    server.finish()


def test_the_server_changes_a_taken_port(nginx, plain):
    second = nginx.prepare(PLAIN, module=None)
    second.port = plain.port
    second.write_configuration()
    second.start()
    assert second.port != plain.port, "it must choose another port"
    assert second.ask("/hello").body == b"hello", "this nginx must answer"


def test_a_mark_keeps_a_test_out_of_one_run(monkeypatch, request):
    for variable in runs.VARIABLES.values():
        monkeypatch.delenv(variable, raising=False)
    request.node.add_marker(pytest.mark.not_newer("a reason"))
    assert runs.objection(request.node) is None, "the plain run has all tests"
    monkeypatch.setenv("WSGI_TEST_NEWER", "1")
    assert runs.objection(request.node) == "not newer: a reason"
    monkeypatch.setenv("WSGI_TEST_INLINE", "1")
    assert runs.objection(request.node) == "not inline: no application runs", "a mark of the file"
