"""A Bottle application behind nginx, in two workers."""

import json

import pytest
from forms import URLENCODED, form

CONF = "location / { wsgi_app @PREFIX@/sites/bottle_site.py app; }"


@pytest.fixture(scope="module")
def server(site):
    return site(CONF).start()


def test_route_and_template(server):
    response = server.ask("/greet/caf%C3%A9")
    assert response.text == "Hello caf\xe9", "the path is decoded as Bottle expects it"
    assert response.header("Set-Cookie"), "and a cookie is set"


def test_form_and_cookie(server):
    headers = [URLENCODED, ("Cookie", "name=somebody")]
    response = server.ask("/form", "POST", body=form(text="\xe4\xf6"), headers=headers)
    assert json.loads(response.body) == {"text": "\xe4\xf6", "cookie": "somebody"}, "both arrive"


def test_stream(server):
    assert server.ask("/words").body == b"one two", "a generator is a body"


def test_file(server):
    assert b"A Bottle application" in server.ask("/file").body, "static_file() sends a file"
    assert server.ask("/file", "HEAD").body == b"", "and HEAD does not"


def test_404_and_500(server):
    assert server.ask("/none").status == 404, "Bottle's own page"
    assert server.ask("/fails").status == 500, "Bottle answers it"
    assert server.wait_log("RuntimeError: a view failed", "GET /fails"), "and logs it"
