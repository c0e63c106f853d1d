"""Files from frameworks: whole, in part, not modified; HEAD; sendfile()."""

import os
import re
from email.utils import formatdate

import pytest
from asking import SITES, WAYS, ask

from server import wait_for

NAME = "served/served.bin"

# Django's FileResponse leaves ranges to the web server. The other frameworks send them.
RANGES = [who for who in SITES if who != "django"]
ETAGS = ["flask", "django", "bottle", "falcon"]


@pytest.fixture(scope="module")
def data(server):
    return (server.prefix / "sites" / "served.bin").read_bytes()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("who", SITES)
def test_a_file_is_sent_with_its_length(server, data, who, way):
    response = ask(server, way, f"/{who}/{NAME}")
    assert (response.status, response.body) == (200, data), "the whole file"
    assert response.header("Content-Length") == str(len(data)), "with its length"
    assert response.header("Last-Modified"), "with its time"
    head = ask(server, way, f"/{who}/{NAME}", "HEAD")
    assert (head.status, head.body) == (200, b""), "no body for HEAD"
    assert head.header("Content-Length") == str(len(data)), "HEAD has the length"


PARTS = [
    ("bytes=0-0", 0, 1, "the first byte"),
    ("bytes=1000-250000", 1000, 250_001, "a large part"),
    ("bytes=299990-", 299_990, 300_000, "the end of it"),
    ("bytes=-10", 299_990, 300_000, "the last bytes"),
    ("bytes=299990-400000", 299_990, 300_000, "the existing bytes of the range"),
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("who", RANGES)
def test_a_part_of_a_file_is_sent(server, data, who, way):
    for asked, start, end, sentence in PARTS:
        response = ask(server, way, f"/{who}/{NAME}", headers=[("Range", asked)])
        assert (response.status, response.body) == (206, data[start:end]), sentence
        stated = response.header("Content-Range")
        assert stated == f"bytes {start}-{end - 1}/{len(data)}", "with its position"
        assert response.header("Content-Length") == str(end - start), "with its length"
    head = ask(server, way, f"/{who}/{NAME}", "HEAD", headers=[("Range", "bytes=0-9")])
    assert head.body == b"" and head.status in (200, 206), "no body for HEAD"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("who", RANGES)
def test_a_part_behind_the_end_is_a_416(server, who, way):
    response = ask(server, way, f"/{who}/{NAME}", headers=[("Range", "bytes=400000-")])
    assert response.status == 416, "the file ends before"


def test_several_parts_of_a_file(server, data):
    """CherryPy sends them. Other frameworks may send one part, or all, or refuse."""
    headers = [("Range", "bytes=0-9,20-29")]
    for who in RANGES:
        response = ask(server, "HTTP/1.1", f"/{who}/{NAME}", headers=headers)
        if response.status == 206 and "multipart" in response.header("Content-Type"):
            assert data[:10] in response.body and data[20:30] in response.body, who
        else:
            sent = {200: data, 206: data[:10]}
            refused = response.status in (400, 416)
            assert refused or response.body == sent[response.status], who


def test_django_leaves_parts_to_nginx(server, data):
    response = ask(server, "HTTP/1.1", f"/django/{NAME}", headers=[("Range", "bytes=0-9")])
    assert (response.status, response.body) == (200, data), "the whole file"
    assert response.header("Accept-Ranges") is None, "without an offer of ranges"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("who", SITES)
def test_a_file_that_the_client_has_is_a_304(server, data, who, way):
    path = f"/{who}/{NAME}"
    whole = ask(server, way, path)
    headers = [("If-Modified-Since", whole.header("Last-Modified"))]
    if who in ETAGS:
        etag = whole.header("ETag")
        same = ask(server, way, path, headers=[("If-None-Match", etag)])
        assert (same.status, same.body) == (304, b""), "the same ETag"
        other = ask(server, way, path, headers=[("If-None-Match", '"another"')])
        assert other.body == data, "another ETag"
    same = ask(server, way, path, headers=headers)
    assert (same.status, same.body) == (304, b""), "the same time"
    old = [("If-Modified-Since", formatdate(0, usegmt=True))]
    assert ask(server, way, path, headers=old).body == data, "an older time"


@pytest.mark.parametrize("who", ["flask", "pyramid"])
def test_if_range_of_a_changed_file_gets_all(server, data, who):
    stale = [("Range", "bytes=0-9"), ("If-Range", formatdate(0, usegmt=True))]
    response = ask(server, "HTTP/1.1", f"/{who}/{NAME}", headers=stale)
    assert (response.status, response.body) == (200, data), "the file has changed"
    fresh = [stale[0], ("If-Range", response.header("Last-Modified"))]
    response = ask(server, "HTTP/1.1", f"/{who}/{NAME}", headers=fresh)
    assert (response.status, response.body) == (206, data[:10]), "the file is the same"


@pytest.mark.parametrize("who", SITES)
def test_a_connection_goes_on_after_files(server, data, who):
    path = f"/{who}/{NAME}"
    with server.connect() as connection:
        assert connection.ask(path, "HEAD").status == 200
        etag = connection.ask(path).header("Last-Modified")
        assert connection.ask(path, headers=[("If-Modified-Since", etag)]).status == 304
        connection.ask(path, headers=[("Range", "bytes=5-9")])
        connection.ask(path, headers=[("Range", "bytes=400000-")])
        assert connection.ask(path).body == data, "one answer to each request, in order"


@pytest.mark.parametrize("who", SITES)
def test_files_are_closed(server, who):
    before = open_files(server)
    now = formatdate(usegmt=True)
    for headers in ([], [("Range", "bytes=0-9")], [("If-Modified-Since", now)]):
        for method in ("GET", "HEAD"):
            ask(server, "HTTP/1.1", f"/{who}/{NAME}", method, headers=headers)
    # CherryPy itself keeps one open for each 416, until the garbage collector finds it.
    wait_for(lambda: open_files(server) <= before, "files to be closed")


@pytest.mark.parametrize("who", ["flask", "django", "bottle", "pyramid", "falcon"])
def test_files_are_sent_by_sendfile(server, data, who):
    """wsgi.file_wrapper lets nginx read the file. CherryPy reads it itself."""
    log = server.prefix / "sendfile.log"
    begun = len(log.read_text())
    assert server.ask(f"/sendfile/{who}/{NAME}").body == data, "the whole file"

    def sent():
        return sum(map(int, re.findall(r"sendfile: (\d+) of", log.read_text()[begun:])))

    if "[debug]" in log.read_text():  # an nginx with a debug log
        wait_for(lambda: sent() == len(data), "all of it to be sent by sendfile()")


def open_files(server):
    """The number of times that the one worker has the file open."""
    (worker,) = server.workers()
    folder = f"/proc/{worker}/fd"
    names = [os.path.realpath(f"{folder}/{number}") for number in os.listdir(folder)]
    return sum("served.bin" in name for name in names)
