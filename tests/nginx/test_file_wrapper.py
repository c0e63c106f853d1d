"""wsgi.file_wrapper: regular files from their position, and all other objects with read()."""

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
    ("offset", FILE[10:], "a file is sent from its position"),
    ("length", FILE[:5], "no more than Content-Length is sent"),
    ("length_offset", FILE[10:15], "Content-Length counts from the position"),
    ("buffered", FILE[11:], "the position is tell(), not that of the descriptor"),
    ("sized", FILE, "a block size is only a hint"),
    ("iterated", FILE, "an application can iterate over a wrapper"),
    ("bytes", b"and the rest", "a BytesIO is sent from its position"),
    ("no_fileno", b"and the rest", "read() is enough"),
    ("pipe", b"through a pipe", "other files than regular ones are read"),
]


@pytest.mark.parametrize("name, expected, sentence", WAYS, ids=[way[0] for way in WAYS])
def test_each_kind_of_file_is_sent(server, name, expected, sentence):
    with server.connect() as connection:
        target = f"/{name}?{server.prefix}/file"
        assert connection.ask(target).body == expected, sentence
        assert connection.ask(target).body == expected, "the connection must go on"
        assert connection.ask(target, version="HTTP/1.0").body == expected, "HTTP/1.0 too"


def test_an_empty_file_is_an_empty_body(server):
    response = ask(server, "whole", "empty")
    assert (response.status, response.body) == (200, b""), "an empty file"


def test_a_stated_length_of_a_file_is_right(server):
    response = ask(server, "whole")
    assert response.header("Content-Length") in (str(len(FILE)), None), "right or absent"


def test_head_sends_no_file(server):
    with server.connect() as connection:
        response = connection.ask(f"/whole?{server.prefix}/file", "HEAD")
        assert (response.status, response.body) == (200, b""), "no body for HEAD"
        assert connection.ask(f"/length?{server.prefix}/file").body == FILE[:5], "no byte is left"


def test_a_file_is_closed_once(nginx):
    server = nginx.prepare(CONF, files=[("file", FILE.decode())]).start()
    for name in ("whole", "offset", "no_fileno"):
        ask(server, name)
    ask(server, "whole", method="HEAD")
    closed = eval(ask(server, "closed").body)
    assert closed == ["file", "file", "reader", "file"], "one close() for each"


@pytest.mark.parametrize("name, kind", [("whole", "file"), ("endless", "reader")])
def test_a_file_is_closed_once_although_the_client_leaves(nginx, name, kind):
    server = nginx.prepare(CONF)
    with open(server.prefix / "sparse", "wb") as file:
        file.truncate(1 << 30)
    server.start()
    (worker,) = server.workers()
    assert ask(server, "closed").text == "[]", "Python has opened the files of its own"
    before = len(os.listdir(f"/proc/{worker}/fd"))
    with server.connect(receive_buffer=4096) as leaving:
        leaving.send_request(f"/{name}?{server.prefix}/sparse")
        leaving.read_head()
    closed = f"['{kind}']"
    wait_for(lambda: ask(server, "closed").text == closed, "close() to be called")
    server.wait_access(f"/{name}?", " 499 ")
    wait_for(lambda: len(os.listdir(f"/proc/{worker}/fd")) <= before, "no file to stay open")
    assert ask(server, "closed").text == closed, "close() must be called once"


def test_a_missing_file_is_an_error_of_the_application(server):
    assert ask(server, "whole", "missing").status == 500, "open() raised"
    server.wait_log("FileNotFoundError")


def test_a_filter_that_changes_the_bytes_of_files(nginx):
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
            assert body == texts[name], "the rest must come from its own file"
