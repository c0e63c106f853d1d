"""Cookies of frameworks: several in one response, with all attributes, and sent back."""

import pytest
from asking import SITES, WAYS, ask

LONG = "x" * 3500
QUOTED = 'a "b"; c, d\\'
UTF8 = "\u65e5\u672c"

# Here the site percent-encodes UTF-8, because the framework does not.
ENCODED = "%E6%97%A5%E6%9C%AC"
ENCODED_BY_THE_SITE = ("django", "falcon", "cherrypy")


def set_by(server, way, who):
    """The cookies of Set-Cookie by name: their value, and their attributes in small letters."""
    response = ask(server, way, f"/{who}/cookies")
    assert response.status == 200, "the page"
    found = {}
    for line in response.all("Set-Cookie"):
        name, rest = line.split("=", 1)
        value, *attributes = rest.split("; ")
        assert name not in found, "one line for each cookie"
        found[name] = value, [attribute.lower() for attribute in attributes]
    return found


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("who", SITES)
def test_cookies_are_set_with_their_attributes(server, who, way):
    found = set_by(server, way, who)
    assert set(found) == {"plain", "quoted", "utf8", "long", "full", "gone"}, "there are six"
    assert found["plain"][0] == "value"
    assert found["long"][0] == LONG, "a long value is complete"
    full = found["full"][1]
    assert {"secure", "httponly", "max-age=60", "samesite=lax"} <= set(full), "all attributes"
    value, gone = found["gone"]
    assert value in ("", '""'), "one cookie is deleted"
    assert any("max-age=0" in word or "max-age=-1" in word or "expires=" in word for word in gone)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("who", SITES)
def test_cookies_of_a_request_are_parsed(server, who, way):
    found = set_by(server, way, who)
    kept = [f"{name}={found[name][0]}" for name in ("plain", "quoted", "utf8", "long")]
    if way == "HTTP/1.1":
        headers = [("Cookie", "; ".join(kept))]
    else:
        headers = [("Cookie", one) for one in kept]  # a browser may send a line for each
    got = ask(server, way, f"/{who}/cookies/read", headers=headers).json()
    assert got["plain"] == "value" and got["long"] == LONG, "the same values"
    assert got["quoted"] == QUOTED, "with quotes and semicolons"
    assert got["utf8"] == (ENCODED if who in ENCODED_BY_THE_SITE else UTF8), "in any script"


@pytest.mark.parametrize("who", SITES)
def test_cookies_in_two_lines_are_parsed(server, who):
    headers = [("Cookie", "plain=1"), ("Cookie", "other=2")]
    got = server.ask(f"/{who}/cookies/read", headers=headers)
    assert b'"plain"' in got.body and b'"other"' in got.body, "both cookies"


@pytest.mark.parametrize("who", SITES)
def test_invalid_cookies_do_not_fail(server, who):
    for line in ("=", ";;;", "a", "a=\xff\xfe", 'a="unclosed; b=2', "\x80=1"):
        response = server.ask(f"/{who}/cookies/read", headers=[("Cookie", line)])
        assert response.status in (200, 400), f"{line!r} must not be a 500"
