"""What an application's children inherit from the worker: no connection and no body of a client."""

import os
import re
from pathlib import Path

import pytest

from h2client import H2Connection
from server import wait_for

pytestmark = pytest.mark.not_validated("the responses are not the subject")

WAYS = ["popen", "spawned", "system", "forked"]
CONF = """
    client_body_buffer_size 1k;
    location / { wsgi_app @APPS@/inherit.py application; }
    location /elsewhere { proxy_pass http://127.0.0.1:1; }
"""


@pytest.fixture
def server(nginx):
    server = nginx(CONF)
    wait_for(lambda: server.ask("/chdir?/").status == 200, "the import")
    return server


@pytest.mark.parametrize("way", WAYS)
def test_no_connection_of_a_client_is_inherited(server, way):
    with server.connect() as idle, server.connect() as other:
        assert other.ask("/chdir?/").status == 200
        held = server.ask(f"/held?{way}").text.splitlines()
        assert other.ask("/chdir?/").status == 200, "its connection is open"
        idle.close()
    assert held and not [link for link in held if link.startswith("socket:")], held


def are_private(worker, folder):
    """Whether the worker has files in a folder, and exec() closes all of them."""
    found = []
    for number in os.listdir(f"/proc/{worker}/fd"):
        try:
            link = os.readlink(f"/proc/{worker}/fd/{number}")
            info = Path(f"/proc/{worker}/fdinfo/{number}").read_text()
        except OSError:
            continue
        if folder in link:
            found.append(int(re.search(r"flags:\s+(\d+)", info)[1], 8) & os.O_CLOEXEC)
    return found and all(found)


@pytest.mark.parametrize("way", WAYS)
def test_no_channel_to_another_worker_is_inherited(nginx, way):
    server = nginx(CONF, workers=3)
    server.ask("/chdir?/")
    held = [server.ask(f"/held?{way}").text.splitlines() for _ in range(6)]
    assert all(links for links in held)
    assert not [link for links in held for link in links if link.startswith("socket:")], held


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("path, status", [("/chdir?/", 200), ("/elsewhere", 502)])
def test_no_body_of_a_client_is_inherited(server, way, path, status):
    with server.connect() as uploading:
        head = f"POST {path} HTTP/1.1\r\nHost: t\r\nContent-Length: 100000\r\n\r\n"
        uploading.send(head.encode() + b"x" * 50000)
        (worker,) = server.workers()
        folder = f"{server.prefix}/body"
        wait_for(lambda: are_private(worker, folder), "a file that no command inherits")
        held = server.ask(f"/held?{way}", "POST", body=b"y" * 5000).text
        assert held and folder not in held, held
        uploading.send(b"x" * 50000)
        assert uploading.read_response().status == status, "the upload must be complete"


def test_no_body_is_inherited_of_a_client_with_http2(server):
    with H2Connection(server.h2_port) as uploading:
        stream = uploading.send("/chdir?/", "POST", open_body=True)
        uploading.send_piece(stream, b"x" * 50000)
        (worker,) = server.workers()
        folder = f"{server.prefix}/body"
        wait_for(lambda: are_private(worker, folder), "a file that no command inherits")
        uploading.end(stream)
        assert uploading.response(stream).status == 200, "the upload must be complete"


@pytest.mark.parametrize("way", ["popen", "spawned", "forked"])
def test_a_command_does_not_hold_the_connection(server, gate, way):
    stop = gate()
    with server.connect() as connection:
        headers = [("Connection", "close")]
        connection.send_request(f"/ways?{way},{stop.path}", headers=headers)
        assert connection.read_response().status == 200
        assert connection.is_closed(), "the client must see the end of its connection"
    stop.wait()


def modes(nginx, main="", http=""):
    server = nginx(CONF, main=main, http=http)
    wait_for(lambda: server.ask("/chdir?/").status == 200, "the import")
    (server.prefix / "files").mkdir()
    os.chmod(server.prefix / "files", 0o777)
    return server.ask(f"/mask?{server.prefix}/files").text


@pytest.fixture
def umask():
    """Sets the umask with which nginx starts. nginx sets 0 itself when it becomes a daemon."""
    before = os.umask(0)
    yield os.umask
    os.umask(before)


def test_without_a_umask_files_are_not_readable_by_all(nginx, umask):
    umask(0)
    assert modes(nginx) == "022 755 644"


def test_the_umask_of_nginx_s_start_is_kept(nginx, umask):
    umask(0o027)
    assert modes(nginx) == "027 750 640"


@pytest.mark.parametrize("mask, found", [("077", "077 700 600"), ("2", "002 775 664"), ("0", "000 777 666")])
def test_the_directive_sets_the_umask(nginx, umask, mask, found):
    umask(0o027)
    assert modes(nginx, http=f"wsgi_umask {mask};") == found


@pytest.mark.not_inline("there is one thread, and one umask")
def test_nginx_keeps_its_own_umask_and_folder(server, umask):
    assert server.ask(f"/chdir?{server.prefix}").text == str(server.prefix)
    (worker,) = server.workers()
    assert os.readlink(f"/proc/{worker}/cwd") != str(server.prefix)


@pytest.mark.parametrize("mask", ["8", "07777", "", "022x", "1000", "-1"])
def test_a_wrong_umask_is_refused(nginx, mask):
    server = nginx.prepare(CONF, http=f'wsgi_umask "{mask}";')
    said = server.check()
    assert said.returncode == 1 and "wsgi_umask" in said.stderr and "octal" in said.stderr
    assert re.search(r"nginx.conf:\d+", said.stderr)
