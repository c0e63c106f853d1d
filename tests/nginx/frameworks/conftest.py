"""The fixtures of the frameworks' tests: their virtualenv, and servers that use it."""

import pytest
from serving import prepare, six

import virtualenv as environments


def pytest_itemcollected(item):
    """Marks the tests below this folder."""
    item.add_marker(pytest.mark.not_validated("the applications are those of the frameworks"))
    item.add_marker(pytest.mark.not_newer("the newer Python may have been built without pip"))


@pytest.fixture(scope="session")
def virtualenv():
    return environments.make()


@pytest.fixture(scope="module")
def site(module_nginx, virtualenv):
    """Prepares a server with two workers, the virtualenv, and a copy of the sites in its folder."""
    return lambda conf: prepare(module_nginx, virtualenv, conf, workers=2)


@pytest.fixture(scope="session")
def server(session_nginx, virtualenv):
    """All six sites in one worker, as in production."""
    return six(session_nginx, virtualenv)


@pytest.fixture(scope="module")
def debugged(module_nginx, virtualenv):
    """The same, with the frameworks' settings for development."""
    return six(module_nginx, virtualenv, main="env SITE_DEBUG=1;")
