"""examples/c_host: one request from the command line, and a CGI-like answer on stdout."""

import signal
import subprocess

import pytest
from conftest import HERE


@pytest.fixture
def c_host(build, way, environment):
    def run(app, *arguments, stdin=b""):
        command = [build("c_host", way), str(HERE / "apps" / app), *arguments]
        done = subprocess.run(
            command, env=environment, input=stdin, capture_output=True, timeout=60
        )
        assert b"Sanitizer" not in done.stderr, done.stderr.decode()
        return done

    return run


def test_a_response_with_a_length(c_host):
    done = c_host("echo.py", "hello")
    head = b"Status: 200 OK\nContent-Type: text/plain\nContent-Length: 12\n\n"
    assert done.stdout == head + b"Hello world!"
    assert done.returncode == 0


def test_a_request_with_a_query_and_a_body(c_host):
    done = c_host("echo.py", "describe", "POST", "/a/b?c=d", stdin=b"the body")
    head, _, body = done.stdout.partition(b"\n\n")
    length = b"Content-Length: %d" % len(body)
    assert head.split(b"\n") == [b"Status: 202 Accepted", b"X-One: 1", b"X-Two: 2", length]
    said = b"REQUEST_METHOD=POST\nPATH_INFO=/a/b\nQUERY_STRING=c=d\nCONTENT_LENGTH=-\nHTTP_X_NAME=-"
    assert body == said + b"\nthe body"


def test_a_response_to_head_has_no_body(c_host):
    assert c_host("echo.py", "hello", "HEAD").stdout.endswith(b"Content-Length: 12\n\n")


def test_body_and_response_stream(build, way, environment):
    command = [build("c_host", way), str(HERE / "apps/echo.py"), "lines", "PUT"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, env=environment, **pipes) as process:
        answers = []
        for line in (b"one\n", b"two\n"):
            process.stdin.write(line)
            process.stdin.flush()
            # The first answer comes with the head. Each answer comes before the next line is sent.
            while not answers or answers[-1] != line:
                answers.append(process.stdout.readline())
                assert answers[-1], "the program ended early"
        process.stdin.close()
        assert process.stdout.read() == b""
    assert process.returncode == 0


def test_an_exception_is_500(c_host):
    done = c_host("stages.py", "application", "GET", "/fail")
    assert done.stdout == b"Status: 500 Internal Server Error\n\n"
    assert b"ValueError: before the head" in done.stderr
    assert done.returncode == 1


def test_a_truncated_response_ends_with_exit_code_1(c_host):
    done = c_host("stages.py", "application", "GET", "/truncate")
    assert done.stdout.endswith(b"\n\nhalf")
    assert done.returncode == 1


def test_a_reader_that_leaves_ends_the_host(build, way, environment):
    command = [build("c_host", way), str(HERE / "apps/web.py"), "application", "GET", "/endless"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=environment, **pipes) as process:
        assert process.stdout.read(11) == b"Status: 200"
        process.stdout.close()
        log = process.stderr.read()
    assert b"WSGI0208 the client left" in log and b"Sanitizer" not in log, log.decode()
    assert process.returncode == 1


def test_ctrl_c_ends_the_host_while_the_application_sleeps(build, way, environment):
    command = [build("c_host", way), str(HERE / "apps/web.py"), "application", "GET", "/sleep"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) as process:
        assert process.stderr.readline() == b"it sleeps\n"
        process.send_signal(signal.SIGINT)
    assert process.returncode == -signal.SIGINT


def test_an_application_that_cannot_be_imported(c_host):
    done = c_host("echo.py", "no_such_name")
    assert done.stdout == b""
    assert b"c_host: the application" in done.stderr
    assert done.returncode == 1


def test_a_file_that_is_not_there(c_host):
    done = c_host("no_such_file.py", "hello")
    assert b"no_such_file.py" in done.stderr
    assert done.returncode == 1


def test_without_arguments_it_prints_its_usage(build):
    done = subprocess.run([build("c_host", "c")], capture_output=True, text=True)
    assert done.stderr.startswith("usage: c_host app.py callable")
    assert done.returncode == 1
