"""A site on nginx's own thread: responses to slow clients alternate on it."""

import pytest
from serving import prepare

from turns import assert_contexts_of_their_own

pytestmark = pytest.mark.not_inline("the file sets wsgi_threads 0 itself")

CONF = "location / { wsgi_app /srv/flask_site.py app; }"


@pytest.fixture
def server(nginx, virtualenv):
    return prepare(nginx, virtualenv, CONF, "wsgi_threads 0; wsgi_buffer_size 128k;").start()


def test_each_response_has_its_own_context(server):
    """Flask keeps the request in a contextvar, and a thread has only one context by default."""
    assert_contexts_of_their_own(server, "/many", "/local", "nothing")
