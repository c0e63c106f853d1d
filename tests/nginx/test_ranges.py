"""Range and conditional requests: the application's own business, unless wsgi_force_ranges is on.

The same holds of nginx's proxy_pass with proxy_force_ranges.
"""

import pytest

from telling import BEHIND, TEXT, WAYS, locations, target, tell

WORDS, TIMES = "abcdefghijklmnopqrstuvwxyz0123456789-", 2_000
BODY = WORDS * TIMES
LENGTH = ["Content-Length", str(len(BODY))]
ETAG = ["ETag", '"one"']
DATE = "Thu, 01 Jan 2026 00:00:00 GMT"
SHAPES = ["file", "list", "pieces", "written"]


@pytest.fixture(scope="module")
def forced(module_nginx):
    conf = locations("%_force_ranges on;")
    return module_nginx.prepare(conf, http=BEHIND, files=[("body", BODY)]).start()


@pytest.fixture(scope="module")
def plain(module_nginx):
    return module_nginx.prepare(locations(), http=BEHIND, files=[("body", BODY)]).start()


@pytest.fixture(params=WAYS)
def way(request):
    return request.param


def get(server, way, shape, conditions=(), *headers, method="GET"):
    """Asks for BODY in one of its shapes."""
    told = {"headers": [TEXT, *headers], **body_as(server, shape)}
    return tell(server, way, method, with_headers=list(conditions), **told)


def body_as(server, shape):
    if shape == "file":
        return {"shape": shape, "body": str(server.prefix / "body")}
    return {"shape": shape, "body": WORDS, "times": TIMES}


PARTS = [
    ("bytes=0-0", 0, 1),
    ("bytes=100-39999", 100, 40_000),
    ("bytes=73990-", 73_990, 74_000),
    ("bytes=-7", 73_993, 74_000),
    ("bytes=5-999999", 5, 74_000),
]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("part, start, end", PARTS, ids=[part[0] for part in PARTS])
def test_range(forced, way, shape, part, start, end):
    response = get(forced, way, shape, [("Range", part)], LENGTH)
    assert response.status == 206, "a part is asked for, a part comes"
    assert response.text == BODY[start:end], "the right one"
    assert response.header("Content-Range") == f"bytes {start}-{end - 1}/74000", "and it says which"
    assert response.header("Content-Length") == str(end - start), "and how long it is"


@pytest.mark.parametrize("shape", SHAPES)
def test_connection_goes_on_after_a_range(forced, shape):
    path = target("wsgi", headers=[TEXT, LENGTH], **body_as(forced, shape))
    with forced.connect() as connection:
        for _ in range(3):
            part = connection.ask(path, headers=[("Range", "bytes=1-3")])
            assert (part.status, part.text) == (206, BODY[1:4]), "a part"
            assert connection.ask(path).text == BODY, "and then all of it"


def test_ranges_are_offered(forced, way):
    response = get(forced, way, "list", (), LENGTH, ["Accept-Ranges", "none"])
    assert response.all("Accept-Ranges") == ["bytes"], "nginx says that it serves ranges"


def test_head_of_a_range(forced, way):
    response = get(forced, way, "list", [("Range", "bytes=1-4")], LENGTH, method="HEAD")
    assert (response.status, response.body) == (206, b""), "no body"
    assert response.header("Content-Length") == "4", "but its length"


def test_range_that_is_not_there(forced, way):
    response = get(forced, way, "pieces", [("Range", "bytes=74000-")], LENGTH)
    assert response.status == 416, "there are only so many bytes"
    assert response.header("Content-Range") == "bytes */74000", "and it says how many"


def test_several_ranges(forced, way):
    response = get(forced, way, "list", [("Range", "bytes=0-1,5-6")], LENGTH)
    assert (response.status, response.text) == (200, BODY), "all, not several parts"


def test_if_range(forced, way):
    for condition, status in (('"one"', 206), ('"two"', 200)):
        conditions = [("Range", "bytes=0-3"), ("If-Range", condition)]
        assert get(forced, way, "list", conditions, LENGTH, ETAG).status == status, "by its ETag"
    modified = ["Last-Modified", DATE]
    for condition, status in ((DATE, 206), ("Fri, 02 Jan 2026 00:00:00 GMT", 200)):
        conditions = [("Range", "bytes=0-3"), ("If-Range", condition)]
        assert get(forced, way, "list", conditions, LENGTH, modified).status == status, "by its date"


def test_body_of_unknown_length(forced, way):
    response = get(forced, way, "pieces", [("Range", "bytes=0-3")])
    assert (response.status, response.text) == (200, BODY), "nothing to count from"


def test_error_has_no_ranges(forced, way):
    told = {"status": "404 Not Found", "headers": [TEXT]}
    response = tell(forced, way, with_headers=[("Range", "bytes=0-3")], **told)
    assert (response.status, response.text) == (404, "the application"), "only 200 has parts"


@pytest.mark.parametrize("shape", SHAPES)
def test_ranges_are_the_applications(plain, way, shape):
    headers = [LENGTH, ["Accept-Ranges", "bytes"], ETAG]
    response = get(plain, way, shape, [("Range", "bytes=0-3")], *headers)
    assert (response.status, response.text) == (200, BODY), "nginx cuts nothing out"
    assert response.all("Accept-Ranges") == ["bytes"], "and leaves the header to the application"


@pytest.mark.parametrize("force", ["forced", "plain"])
def test_part_by_the_application(request, way, force):
    server = request.getfixturevalue(force)
    part = ["Content-Range", "bytes 0-14/100"]
    told = {"status": "206 Partial Content", "headers": [TEXT, part]}
    response = tell(server, way, with_headers=[("Range", "bytes=0-14")], **told)
    assert (response.status, response.text) == (206, "the application"), "it is as it is"
    assert response.all("Content-Range") == [part[1]], "nginx does not cut it again"


CONDITIONS = [
    ("If-None-Match", '"one"'),
    ("If-None-Match", "*"),
    ("If-Match", '"two"'),
    ("If-Modified-Since", DATE),
    ("If-Unmodified-Since", "Thu, 01 Jan 1970 00:00:00 GMT"),
]


@pytest.mark.parametrize("force", ["forced", "plain"])
@pytest.mark.parametrize("shape", ["file", "list"])
@pytest.mark.parametrize("condition", CONDITIONS, ids=[f"{n}-{v[:5]}" for n, v in CONDITIONS])
def test_conditions_are_the_applications(request, way, shape, force, condition):
    server = request.getfixturevalue(force)
    response = get(server, way, shape, [condition], LENGTH, ETAG, ["Last-Modified", DATE])
    assert response.status == 200, "nginx makes neither 304 nor 412 of it"
    assert response.text == BODY, "the body is whole"


def test_304_by_the_application(plain, way):
    told = {"status": "304 Not Modified", "headers": [ETAG], "body": ""}
    response = tell(plain, way, with_headers=[("If-None-Match", '"one"')], **told)
    assert (response.status, response.body) == (304, b""), "it is as it is"
    assert response.header("ETag") == '"one"', "with its ETag"
