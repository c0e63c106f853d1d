"""REQUEST_ID is nginx's $request_id, also if nginx has used the variable before."""

import json

import pytest

CONF = """
    add_header X-ID $request_id;
    location / { wsgi_app @APPS@/environ.py app; }
    location /asked/ { set $asked $request_id; add_header X-ID $asked;
                       wsgi_app @APPS@/environ.py app; }
"""


@pytest.fixture(scope="module")
def server(module_nginx):
    return module_nginx(CONF)


def ids(server, path):
    answer = server.ask(path)
    return json.loads(answer.text)["REQUEST_ID"][1], answer.header("X-ID")


@pytest.mark.parametrize("path", ["/", "/asked/"])
def test_request_id_is_that_of_nginx(server, path):
    own, of_nginx = ids(server, path)
    assert own == of_nginx, "the log of nginx and environ have the same id"
    assert len(bytes.fromhex(own)) == 16, "in the form of nginx"


def test_each_request_has_its_own_id(server):
    # More ids than the module makes at once.
    seen = {ids(server, "/")[0] for _ in range(300)}
    assert len(seen) == 300
