"""A site on nginx's own thread: responses that wait for slow clients take turns on it."""

import pytest
from serving import prepare

from turns import assert_contexts_of_their_own

pytestmark = pytest.mark.not_inline("the file sets wsgi_threads 0 itself")

CONF = "location / { wsgi_app /srv/flask_site.py app; }"


@pytest.fixture
def server(nginx, virtualenv):
    return prepare(nginx, virtualenv, CONF, "wsgi_threads 0; wsgi_buffer_size 128k;").start()


def test_each_response_has_its_own_context(server):
    """Flask keeps the request in a contextvar, of which a thread has one context."""
    assert_contexts_of_their_own(server, "/many", "/local", "nothing")
