"""wsgi_hide_header, wsgi_pass_header, wsgi_ignore_headers, wsgi_pass_request_*, wsgi_limit_rate.

The tests with the "proxy" way show that proxy_hide_header and its like behave in the same way.
"""

import re
import time
from pathlib import Path

import pytest

from server import NGINX, ROOT
from telling import BEHIND, TEXT, WAYS, ask, environ_of, locations, target, tell

pytestmark = pytest.mark.not_validated("the validator refuses what the applications answer")

ACCEL = [
    ["X-Accel-Expires", "60"],
    ["X-Accel-Limit-Rate", "0"],
    ["X-Accel-Buffering", "no"],
    ["X-Accel-Charset", "utf-8"],
]
OWN = [TEXT, ["X-Powered-By", "Python"], ["X-Version", "1"], *ACCEL]
GET = {"headers": OWN}
HTTP = "charset_map koi8-r utf-8 { C1 D0B0; }" + BEHIND


def answers(nginx, directives, http="", **told):
    """The answer of each of the three ways. `directives` are in the locations, `http` in http."""
    everywhere = "".join(http.replace("%", way) for way in ("wsgi", "proxy"))
    server = nginx(locations(directives), http=everywhere + HTTP)
    return [tell(server, way, **(told or GET)) for way in WAYS]


def names(response):
    return {name.lower() for name, _ in response.headers} & {name.lower() for name, _ in OWN}


def test_headers_hidden_by_default(nginx):
    for response in answers(nginx, ""):
        assert names(response) == {"content-type", "x-powered-by", "x-version"}, "X-Accel-* are"


def test_hide_header_removes_a_field(nginx):
    for response in answers(nginx, "%_hide_header x-pOWERED-bY; %_hide_header X-Accel-Expires;"):
        assert names(response) == {"content-type", "x-version"}, "in any case of letters"


def test_pass_header_keeps_a_field(nginx):
    for response in answers(nginx, "%_pass_header X-Accel-Expires; %_pass_header X-Version;"):
        assert names(response) == {"content-type", "x-powered-by", "x-version", "x-accel-expires"}


def test_pass_header_wins_over_hide_header(nginx):
    for response in answers(nginx, "%_hide_header X-Version; %_pass_header X-Version;"):
        assert "x-version" in names(response), "as with proxy_pass"


def test_hide_header_can_remove_the_type(nginx):
    for response in answers(nginx, "%_hide_header Content-Type; default_type a/b;"):
        assert response.header("Content-Type") is None, "without a replacement"


def test_hide_and_pass_are_inherited(nginx):
    for response in answers(nginx, "", "%_hide_header X-Version; %_pass_header X-Accel-Expires;"):
        assert names(response) == {"content-type", "x-powered-by", "x-accel-expires"}


def test_a_level_with_its_own_list_inherits_none(nginx):
    for response in answers(nginx, "%_hide_header X-Powered-By;", "%_hide_header X-Version;"):
        assert names(response) == {"content-type", "x-version"}, "only the location's list"


def test_hide_and_pass_are_inherited_separately(nginx):
    for response in answers(nginx, "%_pass_header X-Accel-Charset;", "%_hide_header X-Version;"):
        assert names(response) == {"content-type", "x-powered-by", "x-accel-charset"}


def test_date_and_server_are_the_applications(nginx):
    server = nginx(locations(), http=BEHIND)
    own = [TEXT, ["Date", "Thu, 01 Jan 1970 00:00:00 GMT"], ["Server", "own"]]
    response = tell(server, "wsgi", headers=own)
    assert response.all("Date") == [own[1][1]], "as with uwsgi_pass"
    assert response.all("Server") == ["own"], "once"
    server = nginx(locations("%_hide_header Date; %_hide_header Server;"), http=BEHIND)
    response = tell(server, "wsgi", headers=own)
    assert response.header("Date") != own[1][1], "nginx's own"
    assert response.header("Server").startswith("nginx"), "also this"


IGNORED = [
    ("X-Accel-Redirect", "/page", lambda response: response.text == "the application"),
    ("X-Accel-Limit-Rate", "54321", lambda response: response.header("X-Rate") == "0"),
    ("X-Accel-Charset", "koi8-r", lambda response: "koi8" not in response.header("Content-Type")),
]


@pytest.mark.parametrize("name, value, ignored", IGNORED, ids=[case[0] for case in IGNORED])
def test_ignore_headers_makes_a_field_have_no_effect(nginx, name, value, ignored):
    page = 'add_header X-Rate $limit_rate; location /page { return 200 "the page"; }'
    told = {"headers": [TEXT, [name, value]]}
    for directive, expected in (("", False), (f"%_ignore_headers {name};", True)):
        server = nginx(locations(directive) + page, http=HTTP)
        for way in WAYS:
            response = tell(server, way, **told)
            assert ignored(response) is expected, f"{directive} {way}"
            assert response.header(name) is None, "the field must not be sent either"
    server = nginx(locations(f"%_ignore_headers {name}; %_pass_header {name};"), http=HTTP)
    for way in WAYS:
        assert tell(server, way, **told).header(name) == value, "pass_header can send it"


def test_ignore_headers_accepts_the_fields_for_caches(nginx):
    about = "Expires Cache-Control Set-Cookie Vary X-Accel-Expires X-Accel-Buffering"
    told = {"headers": [TEXT, ["Expires", "0"], ["Set-Cookie", "a=1"], ["Vary", "Cookie"]]}
    for response in answers(nginx, f"%_ignore_headers {about};", **told):
        for name, value in told["headers"]:
            assert response.all(name) == [value], "without a cache nothing changes"


def test_a_hidden_cookie_is_sent_with_a_redirect(nginx):
    conf = locations("%_hide_header Set-Cookie;") + 'location /page { return 200 "the page"; }'
    server = nginx(conf, http=BEHIND)
    cookie = ["Set-Cookie", "a=1"]
    for way in WAYS:
        assert tell(server, way, headers=[TEXT, cookie]).header("Set-Cookie") is None, "hidden"
        response = tell(server, way, headers=[TEXT, cookie, ["X-Accel-Redirect", "/page"]])
        assert response.header("Set-Cookie") == "a=1", "as with proxy_pass"


ENVIRON = """
    location /headers { wsgi_app @APPS@/environ.py app; wsgi_pass_request_headers off; }
    location /param {
        wsgi_app @APPS@/environ.py app; wsgi_pass_request_headers off;
        wsgi_param HTTP_X_COUNTRY $http_x_country;
    }
    location /body { wsgi_app @APPS@/environ.py app; wsgi_pass_request_body off; }
    location /input/ {
        wsgi_app @APPS@/input.py app; wsgi_script_name /input;
        wsgi_pass_request_body off; client_max_body_size 100k;
    }
    location /unbuffered/ {
        wsgi_app @APPS@/input.py app; wsgi_script_name /unbuffered;
        wsgi_pass_request_body off; wsgi_request_buffering off;
    }
"""


@pytest.fixture(scope="module")
def passing(module_nginx):
    return module_nginx(ENVIRON)


def test_pass_request_headers_off(passing):
    sent = [("X-Country", "de"), ("Content-Type", "a/b"), ("Cookie", "a=1")]
    environ = environ_of(passing.ask("/headers", "POST", headers=sent, body=b"form"))
    assert not [key for key in environ if key.startswith("HTTP_")], "no header of the client"
    assert (environ["CONTENT_TYPE"], environ["CONTENT_LENGTH"]) == ("a/b", "4"), "those of the body"
    assert environ["SERVER_NAME"] == "localhost", "nginx's own values"
    environ = environ_of(passing.ask("/param", headers=sent))
    assert environ["HTTP_X_COUNTRY"] == "de", "wsgi_param can pass one field"
    assert "HTTP_COOKIE" not in environ, "and no other"


def test_pass_request_body_off_states_no_body(passing):
    environ = environ_of(passing.ask("/body", "POST", body=b"form"))
    assert environ["CONTENT_LENGTH"] == "0", "there is nothing to read"
    environ = environ_of(passing.ask("/body", "POST", body=b""))
    assert environ["CONTENT_LENGTH"] == "0", "the client stated zero"
    assert "CONTENT_LENGTH" not in environ_of(passing.ask("/body")), "the client stated no length"


@pytest.mark.parametrize("way", ["input", "unbuffered"])
@pytest.mark.parametrize("size", [0, 4, 50_000])
def test_pass_request_body_off_reads_the_body_and_drops_it(passing, way, size):
    chunked = [("Transfer-Encoding", "chunked")]
    with passing.connect() as connection:
        for _ in range(2):
            response = connection.ask(f"/{way}/read", "POST", body=b"x" * size)
            assert response.status == 200 and eval(response.body) == b"", "no body"
            connection.send_request(f"/{way}/read", method="POST", headers=chunked)
            connection.send_chunk(b"x" * (size + 1))
            connection.send_chunk(b"")
            assert eval(connection.read_response().body) == b"", "also in chunks"


def test_pass_request_body_off_still_limits_the_body(passing):
    assert passing.ask("/input/read", "POST", body=b"x" * 200_000).status == 413, "nginx reads it"


RATES = [
    ("wsgi_limit_rate 4k;", [], "4096"),
    ("wsgi_limit_rate 4k; limit_rate 2k;", [], "2048"),
    ("wsgi_limit_rate 4k; limit_rate 8k;", [], "4096"),
    ("wsgi_limit_rate 0; limit_rate 8k;", [], "0"),
    ("wsgi_limit_rate $arg_none; limit_rate 8k;", [], "0"),
    ("wsgi_limit_rate 4k;", [["X-Accel-Limit-Rate", "0"]], "4096"),
    ("wsgi_limit_rate 4k;", [["X-Accel-Limit-Rate", "100"]], "100"),
    ("set $rate 1k; wsgi_limit_rate $rate;", [], "1024"),
]


@pytest.mark.parametrize("directives, headers, rate", RATES)
def test_the_lowest_limit_rate_holds(nginx, directives, headers, rate):
    conf = "location /wsgi/ { wsgi_app @APPS@/told.py app; add_header X-Rate $limit_rate; %s }"
    server = nginx(conf % directives)
    for way in ("wsgi", "h2"):
        response = tell(server, way, headers=[TEXT, *headers])
        assert response.header("X-Rate") == rate, "the lowest rate; 0 is no limit"


def test_limit_rate_slows_the_response_down(nginx):
    server = nginx("location /wsgi/ { wsgi_app @APPS@/told.py app; wsgi_limit_rate 4k; }")
    begin = time.monotonic()
    response = ask(server, "wsgi", target("wsgi", body="slowly ", times=1500))
    assert response.text == "slowly " * 1500, "all of it must arrive"
    assert time.monotonic() - begin > 0.9, "it must take about a second"


def in_location(text):
    return "location / { wsgi_app @APPS@/hello.py hello_world; %s }" % text


REFUSED = {
    "a header with a colon": ("wsgi_hide_header X-Powered-By:;", 'header name "X-Powered-By:"'),
    "a header of two words": ('wsgi_pass_header "X A";', 'invalid header name "X A"'),
    "a header without a name": ('wsgi_hide_header "";', 'invalid header name ""'),
    "two headers to hide": ("wsgi_hide_header A B;", "invalid number of arguments"),
    "two headers to pass": ("wsgi_pass_header A B;", "invalid number of arguments"),
    "no header to ignore": ("wsgi_ignore_headers;", "invalid number of arguments"),
    "a header that is never obeyed": ("wsgi_ignore_headers X-Other;", 'invalid value "X-Other"'),
    "neither on nor off": ("wsgi_intercept_errors yes;", 'it must be "on" or "off"'),
    "ranges neither on nor off": ("wsgi_force_ranges 1;", 'it must be "on" or "off"'),
    "headers neither on nor off": ("wsgi_pass_request_headers no;", 'it must be "on" or "off"'),
    "a body neither on nor off": ("wsgi_pass_request_body no;", 'it must be "on" or "off"'),
    "a rate of letters": ("wsgi_limit_rate fast;", "wsgi_limit_rate.*invalid value"),
    "a rate twice": ("wsgi_limit_rate 1k; wsgi_limit_rate 2k;", "wsgi_limit_rate.*duplicate"),
    "ranges twice": ("wsgi_force_ranges on; wsgi_force_ranges on;", "duplicate"),
}


@pytest.mark.parametrize("text, words", REFUSED.values(), ids=REFUSED.keys())
def test_refused(nginx, text, words):
    said = nginx.prepare(in_location(text)).check()
    assert said.returncode == 1, "nginx -t must refuse it"
    assert re.search(rf"{words}.*nginx.conf:\d+", said.stderr), f"with the reason: {said.stderr}"


def test_every_uwsgi_directive_is_explained():
    found = re.findall(rb"(?<=\0)uwsgi_\w+(?=\0)", Path(NGINX).read_bytes())
    # These names have another meaning; some are there only with debugging information.
    others = ("_hash", "_temp", "_lengths", "_values")
    directives = {name.decode() for name in found if not name.decode().endswith(others)}
    explained = set(re.findall(r"uwsgi_\w+", (ROOT / "docs" / "from-uwsgi.md").read_text()))
    assert directives <= explained, f"not explained: {sorted(directives - explained)}"
