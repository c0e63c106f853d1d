"""Range and conditional requests: the application answers them, unless wsgi_force_ranges is on.

nginx's proxy_pass with proxy_force_ranges behaves in the same way.
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
    """Requests BODY in one of its shapes."""
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
def test_a_range_is_a_part_of_the_body(forced, way, shape, part, start, end):
    response = get(forced, way, shape, [("Range", part)], LENGTH)
    assert response.status == 206, "a part"
    assert response.text == BODY[start:end], "the right part"
    assert response.header("Content-Range") == f"bytes {start}-{end - 1}/74000", "its position"
    assert response.header("Content-Length") == str(end - start), "its length"


@pytest.mark.parametrize("shape", SHAPES)
def test_the_connection_goes_on_after_a_range(forced, shape):
    path = target("wsgi", headers=[TEXT, LENGTH], **body_as(forced, shape))
    with forced.connect() as connection:
        for _ in range(3):
            part = connection.ask(path, headers=[("Range", "bytes=1-3")])
            assert (part.status, part.text) == (206, BODY[1:4]), "a part"
            assert connection.ask(path).text == BODY, "then all of it"


def test_accept_ranges_offers_ranges(forced, way):
    response = get(forced, way, "list", (), LENGTH, ["Accept-Ranges", "none"])
    assert response.all("Accept-Ranges") == ["bytes"], "by nginx"


def test_head_of_a_range_has_the_length_of_the_part(forced, way):
    response = get(forced, way, "list", [("Range", "bytes=1-4")], LENGTH, method="HEAD")
    assert (response.status, response.body) == (206, b""), "no body"
    assert response.header("Content-Length") == "4", "the length of the part"


def test_a_range_behind_the_end_is_a_416(forced, way):
    response = get(forced, way, "pieces", [("Range", "bytes=74000-")], LENGTH)
    assert response.status == 416, "the body ends before"
    assert response.header("Content-Range") == "bytes */74000", "with the length of the body"


def test_several_ranges_get_the_whole_body(forced, way):
    response = get(forced, way, "list", [("Range", "bytes=0-1,5-6")], LENGTH)
    assert (response.status, response.text) == (200, BODY), "not several parts"


def test_if_range_decides_on_a_range(forced, way):
    for condition, status in (('"one"', 206), ('"two"', 200)):
        conditions = [("Range", "bytes=0-3"), ("If-Range", condition)]
        assert get(forced, way, "list", conditions, LENGTH, ETAG).status == status, "by its ETag"
    modified = ["Last-Modified", DATE]
    for condition, status in ((DATE, 206), ("Fri, 02 Jan 2026 00:00:00 GMT", 200)):
        conditions = [("Range", "bytes=0-3"), ("If-Range", condition)]
        assert get(forced, way, "list", conditions, LENGTH, modified).status == status, "by its date"


def test_a_body_of_unknown_length_has_no_ranges(forced, way):
    response = get(forced, way, "pieces", [("Range", "bytes=0-3")])
    assert (response.status, response.text) == (200, BODY), "all of it"


def test_an_error_has_no_ranges(forced, way):
    told = {"status": "404 Not Found", "headers": [TEXT]}
    response = tell(forced, way, with_headers=[("Range", "bytes=0-3")], **told)
    assert (response.status, response.text) == (404, "the application"), "only 200 has ranges"


@pytest.mark.parametrize("shape", SHAPES)
def test_by_default_ranges_are_the_application_s(plain, way, shape):
    headers = [LENGTH, ["Accept-Ranges", "bytes"], ETAG]
    response = get(plain, way, shape, [("Range", "bytes=0-3")], *headers)
    assert (response.status, response.text) == (200, BODY), "nginx must not cut the body"
    assert response.all("Accept-Ranges") == ["bytes"], "the application's header stays"


@pytest.mark.parametrize("force", ["forced", "plain"])
def test_a_part_made_by_the_application_stays_unchanged(request, way, force):
    server = request.getfixturevalue(force)
    part = ["Content-Range", "bytes 0-14/100"]
    told = {"status": "206 Partial Content", "headers": [TEXT, part]}
    response = tell(server, way, with_headers=[("Range", "bytes=0-14")], **told)
    assert (response.status, response.text) == (206, "the application"), "unchanged"
    assert response.all("Content-Range") == [part[1]], "nginx must not cut it again"


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
def test_conditions_are_the_application_s(request, way, shape, force, condition):
    server = request.getfixturevalue(force)
    response = get(server, way, shape, [condition], LENGTH, ETAG, ["Last-Modified", DATE])
    assert response.status == 200, "nginx must not answer 304 or 412"
    assert response.text == BODY, "the body must be complete"


def test_a_304_by_the_application_stays_unchanged(plain, way):
    told = {"status": "304 Not Modified", "headers": [ETAG], "body": ""}
    response = tell(plain, way, with_headers=[("If-None-Match", '"one"')], **told)
    assert (response.status, response.body) == (304, b""), "unchanged"
    assert response.header("ETag") == '"one"', "with its ETag"
