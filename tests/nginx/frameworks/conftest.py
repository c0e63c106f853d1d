"""The fixtures of the frameworks' tests: their virtualenv, and servers that use it."""

import shutil
from pathlib import Path

import pytest

import virtualenv as environments

SITES = Path(__file__).with_name("sites")


@pytest.fixture(scope="session")
def virtualenv():
    return environments.make()


@pytest.fixture(scope="module")
def site(module_nginx, virtualenv):
    """Prepares a server with two workers, the virtualenv, and a copy of the sites in its folder."""

    def prepare(conf):
        prepared = module_nginx.prepare(conf, http=f"wsgi_python_home {virtualenv};", workers=2)
        shutil.copytree(SITES, prepared.prefix / "sites")
        return prepared

    return prepare
