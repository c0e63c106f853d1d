"""wsgi.file_wrapper: regular files from where they stand, and whatever else can be read."""

import os

import pytest

from h2client import H2Connection
from server import wait_for

CONF = "location / { wsgi_app @APPS@/file_wrapper.py app; }"
FILE = b"0123456789\nand the rest\n" * 1000


@pytest.fixture(scope="module")
def server(module_nginx):
    prepared = module_nginx.prepare(CONF, files=[("file", FILE.decode()), ("empty", "")])
    return prepared.start()


def ask(server, name, file="file", **how):
    return server.ask(f"/{name}?{server.prefix}/{file}", **how)


WAYS = [
    ("whole", FILE, "a file is sent whole"),
    ("offset", FILE[10:], "a file is sent from where it stands"),
    ("length", FILE[:5], "no more than Content-Length is sent"),
    ("length_offset", FILE[10:15], "of it, from where it stands"),
    ("buffered", FILE[11:], "tell() counts, not the position of the descriptor"),
    ("sized", FILE, "a block size is only a hint"),
    ("iterated", FILE, "a wrapper can be iterated over"),
    ("bytes", b"and the rest", "a BytesIO is sent from where it stands"),
    ("no_fileno", b"and the rest", "read() is enough"),
    ("pipe", b"through a pipe", "what is no regular file is read"),
]


@pytest.mark.parametrize("name, expected, sentence", WAYS, ids=[way[0] for way in WAYS])
def test_files(server, name, expected, sentence):
    with server.connect() as connection:
        target = f"/{name}?{server.prefix}/file"
        assert connection.ask(target).body == expected, sentence
        assert connection.ask(target).body == expected, "and the connection goes on"
        assert connection.ask(target, version="HTTP/1.0").body == expected, "HTTP/1.0 too"


def test_empty_file(server):
    response = ask(server, "whole", "empty")
    assert (response.status, response.body) == (200, b""), "an empty file is a body"


def test_length_of_a_file_is_known(server):
    response = ask(server, "whole")
    assert response.header("Content-Length") in (str(len(FILE)), None), "if stated, it is right"


def test_head(server):
    with server.connect() as connection:
        response = connection.ask(f"/whole?{server.prefix}/file", "HEAD")
        assert (response.status, response.body) == (200, b""), "HEAD sends no file"
        assert connection.ask(f"/length?{server.prefix}/file").body == FILE[:5], "none of it"


def test_files_are_closed_once(nginx):
    server = nginx.prepare(CONF, files=[("file", FILE.decode())]).start()
    for name in ("whole", "offset", "no_fileno"):
        ask(server, name)
    ask(server, "whole", method="HEAD")
    closed = eval(ask(server, "closed").body)
    assert closed == ["file", "file", "reader", "file"], "close() is called once for each"


@pytest.mark.parametrize("name, kind", [("whole", "file"), ("endless", "reader")])
def test_files_are_closed_once_though_the_client_leaves(nginx, name, kind):
    server = nginx.prepare(CONF)
    with open(server.prefix / "sparse", "wb") as file:
        file.truncate(1 << 30)
    server.start()
    (worker,) = server.workers()
    assert ask(server, "closed").text == "[]", "Python has opened what it needs"
    before = len(os.listdir(f"/proc/{worker}/fd"))
    with server.connect(receive_buffer=4096) as leaving:
        leaving.send_request(f"/{name}?{server.prefix}/sparse")
        leaving.read_head()
    closed = f"['{kind}']"
    wait_for(lambda: ask(server, "closed").text == closed, "close() to be called")
    server.wait_access(f"/{name}?", " 499 ")
    wait_for(lambda: len(os.listdir(f"/proc/{worker}/fd")) <= before, "nothing to stay open")
    assert ask(server, "closed").text == closed, "and it was called once"


def test_missing_file_is_the_applications_error(server):
    assert ask(server, "whole", "missing").status == 500, "open() raised"
    server.wait_log("FileNotFoundError")


def test_a_filter_that_looks_at_the_bytes(nginx):
    conf = f"sendfile on; sub_filter nothing something; sub_filter_types *; {CONF}"
    texts = {"first": "1" * 60000, "second": "2" * 60000}
    server = nginx(conf, files=texts.items())
    with H2Connection(server.h2_port, 10) as first, H2Connection(server.h2_port, 10) as second:
        streams = {}
        for name, connection in (("first", first), ("second", second)):
            streams[name] = connection.send(f"/whole?{server.prefix}/{name}")
            connection.wait(streams[name], lambda got: got.body)
        for name, connection in (("first", first), ("second", second)):
            connection.open_window(streams[name], 1 << 20)
            body = connection.response(streams[name]).body.decode()
            assert body == texts[name], "what is not sent yet comes from its own file"
