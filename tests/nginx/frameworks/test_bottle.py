"""A Bottle application behind nginx, in two workers."""

import json

import pytest
from forms import URLENCODED, form

CONF = "location / { wsgi_app @PREFIX@/sites/bottle_site.py app; }"


@pytest.fixture(scope="module")
def server(site):
    return site(CONF).start()


def test_a_route_and_a_template(server):
    response = server.ask("/greet/caf%C3%A9")
    assert response.text == "Hello caf\xe9", "the path as Bottle expects it"
    assert response.header("Set-Cookie"), "with a cookie"


def test_a_form_and_a_cookie(server):
    headers = [URLENCODED, ("Cookie", "name=somebody")]
    response = server.ask("/form", "POST", body=form(text="\xe4\xf6"), headers=headers)
    assert json.loads(response.body) == {"text": "\xe4\xf6", "cookie": "somebody"}, "both arrive"


def test_a_stream_is_complete(server):
    assert server.ask("/words").body == b"one two", "of a generator"


def test_a_file_is_sent_and_not_for_head(server):
    assert b"A Bottle application" in server.ask("/file").body, "static_file() sends a file"
    assert server.ask("/file", "HEAD").body == b"", "no body for HEAD"


def test_bottle_answers_404_and_500(server):
    assert server.ask("/none").status == 404, "Bottle's own page"
    assert server.ask("/fails").status == 500, "Bottle's own page"
    assert server.wait_log("RuntimeError: a view failed", "GET /fails"), "Bottle logs it"
