"""scripts/serve: the user that runs the application."""

import importlib.machinery
import importlib.util
import os
import pathlib
import pwd

import pytest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts/serve"
SOMEBODY = pwd.getpwnam("nobody")


@pytest.fixture
def serve(monkeypatch, tmp_path):
    """The script as a module, in a checkout of the user nobody, run by root."""
    loader = importlib.machinery.SourceFileLoader("serve", str(SCRIPT))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("serve", loader))
    loader.exec_module(module)
    monkeypatch.setattr(os, "getuid", lambda: 0)
    monkeypatch.delenv("SUDO_UID", raising=False)
    owner = os.stat_result([0o100755, 0, 0, 1, SOMEBODY.pw_uid, SOMEBODY.pw_gid, 0, 0, 0, 0])
    monkeypatch.setattr(module.pathlib.Path, "stat", lambda _: owner)
    return module


def test_for_root_the_workers_run_as_root(serve):
    assert serve.user() == 'user "root";'


def test_for_another_user_there_is_no_user_line(serve, monkeypatch):
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    assert serve.user() == "", "nginx cannot change its user then"


def test_under_sudo_the_workers_run_as_the_caller_who_owns_the_checkout(serve, monkeypatch):
    monkeypatch.setenv("SUDO_UID", str(SOMEBODY.pw_uid))
    assert serve.user().startswith('user "nobody" "'), "with the group of that user"


@pytest.mark.parametrize("number", ["0", "", "x", "-1", "999999"])
def test_under_sudo_of_another_user_the_workers_run_as_root(serve, monkeypatch, number):
    monkeypatch.setenv("SUDO_UID", number)
    assert serve.user() == 'user "root";', "that user may not be able to read the checkout"
