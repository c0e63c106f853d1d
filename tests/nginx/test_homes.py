"""The result of `nginx -t` for the Python that applications would get: the installation that a
virtualenv belongs to, and whether the workers' user may read all of it.

tests/nginx/test_configuration.py has the other faults of a configuration.
"""

import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from server import PYTHON

pytestmark = [
    pytest.mark.not_inline("nginx -t checks the Python, without a thread"),
    pytest.mark.not_validated("nginx -t checks the Python, without an application"),
]

APPLICATION = "location / { wsgi_app @APPS@/hello.py hello_world; }"
OWN = "location / { wsgi_app @PREFIX@/site/own.py app; }"
HOME = "wsgi_python_home @PREFIX@/venv;"
GOOD = "def app(environ, start_response):\n    start_response('200 OK', [])\n    return [b'own']\n"


def is_open_to_all(path):
    """Whether every user may enter the folders above a file. root's own Python may be in /root."""
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in Path(path).resolve().parents)


as_root = pytest.mark.skipif(
    os.getuid() != 0 or not is_open_to_all(PYTHON),
    reason="needs root, to change the user, and a Python that other users may run",
)


def says(code):
    said = subprocess.run([PYTHON, "-I", "-c", code], capture_output=True, text=True, check=True)
    return said.stdout.strip()


VERSION = says("import sys; print('%d.%d' % sys.version_info[:2])")
PACKAGES = f"lib/python{VERSION}/site-packages"


def virtualenv(server, name="venv", python=PYTHON, *options):
    folder = server.prefix / name
    command = [python, "-m", "venv", "--without-pip", *options, folder]
    subprocess.run(command, check=True, capture_output=True)
    return folder


def other_installation(server):
    """A folder that looks like a Python of the same minor version. No test runs it."""
    server.write(f"other/lib/python{VERSION}/os.py", "")
    server.write("other/bin/python3", "").chmod(0o755)
    return server.prefix / "other"


def rebase(venv, home):
    """Changes a virtualenv as if the Python in another folder had made it."""
    config = venv / "pyvenv.cfg"
    config.write_text(re.sub(r"^home = .*$", f"home = {home}", config.read_text(), flags=re.M))


def warnings(server, *words):
    """The warnings of `nginx -t`."""
    said = server.check()
    assert said.returncode == 0, f"a warning must not be an error: {said.stderr}"
    lines = [line for line in said.stderr.splitlines() if "[warn]" in line]
    return [line for line in lines if all(word in line for word in ("WSGI0104", *words))]


def test_a_virtualenv_of_another_installation_is_refused(nginx):
    server = nginx.prepare(APPLICATION, http=HOME)
    venv, other = virtualenv(server), other_installation(server)
    rebase(venv, other / "bin")
    said = server.check()
    assert said.returncode == 1, "compiled packages do not work in another installation"
    assert re.search(rf"\[emerg\] WSGI0101 .*{other}/bin.*libwsgi runs.*{PYTHON}", said.stderr)
    assert f"{PYTHON} -m venv --clear {venv}" in said.stderr, "with the command that helps"


def test_the_prefix_of_another_installation_is_refused(nginx):
    server = nginx.prepare(APPLICATION, http="wsgi_python_home @PREFIX@/other;")
    other_installation(server)
    said = server.check()
    assert said.returncode == 1, "its library does not belong to the module's libpython"
    assert re.search(rf"\[emerg\] WSGI0101 .*the prefix of another Python.*{PYTHON}", said.stderr)


WAYS = {
    "links": lambda server: virtualenv(server, "venv", PYTHON, "--symlinks"),
    "copies": lambda server: virtualenv(server, "venv", PYTHON, "--copies"),
    "a virtualenv of a virtualenv": lambda server: virtualenv(
        server, "venv", virtualenv(server, "first") / "bin" / "python"
    ),
    "system packages": lambda server: virtualenv(
        server, "venv", PYTHON, "--system-site-packages"
    ),
}


@pytest.mark.parametrize("make", WAYS.values(), ids=WAYS.keys())
def test_a_virtualenv_of_the_same_installation_is_accepted(nginx, make):
    server = nginx.prepare(OWN, http=HOME, files=[("site/own.py", "import only_there\n" + GOOD)])
    make(server)
    server.write(f"venv/{PACKAGES}/only_there.py", "")
    assert not warnings(server), "without a warning"
    server.start()
    assert server.ask("/").body == b"own", "it must work"


def test_a_virtualenv_by_a_link_to_the_same_installation_is_accepted(nginx):
    server = nginx.prepare(OWN, http=HOME, files=[("site/own.py", "import ssl\n" + GOOD)])
    venv = virtualenv(server)
    (server.prefix / "bin").symlink_to(os.path.dirname(PYTHON))
    rebase(venv, server.prefix / "bin")
    assert not warnings(server), "the link leads to the same Python"
    server.start()
    assert server.ask("/").body == b"own", "it must work"


def prepare_closed(nginx, http=HOME):
    server = nginx.prepare(OWN, http=http, files=[("site/own.py", GOOD)])
    server.run_as_nobody()
    virtualenv(server)
    server.write(f"venv/{PACKAGES}/package/__init__.py", "")
    return server


CLOSED = {
    "the home": "venv",
    "its pyvenv.cfg": "venv/pyvenv.cfg",
    "its bin": "venv/bin",
    "its lib": "venv/lib",
    "its packages": f"venv/{PACKAGES}",
    "a package": f"venv/{PACKAGES}/package",
    "the application's file": "site/own.py",
    "the application's folder": "site",
}


@as_root
@pytest.mark.parametrize("path", CLOSED.values(), ids=CLOSED.keys())
def test_a_path_that_the_workers_may_not_read_is_a_warning(nginx, path):
    server = prepare_closed(nginx)
    assert not warnings(server), "the workers may still read all"
    path = server.prefix / path
    mode = path.stat().st_mode
    path.chmod(0o700 if path.is_dir() else 0o600)
    lines = warnings(server, '"nobody"', "cannot be read by this user", str(path))
    assert len(lines) == 1, "one sentence that names the closed path"
    path.chmod(mode)
    assert not warnings(server), "there must be no other fault"


@as_root
def test_a_folder_that_cannot_be_listed_is_a_warning(nginx):
    server = prepare_closed(nginx)
    folder = server.prefix / "site"
    folder.chmod(0o711)
    assert warnings(server, "wsgi_app", f"{folder} cannot be read"), "no module is found"


@as_root
def test_a_python_behind_a_closed_folder_is_a_warning(nginx):
    server = prepare_closed(nginx)
    closed = server.prefix / "closed"
    closed.mkdir()
    (closed / "bin").symlink_to(os.path.dirname(PYTHON))
    rebase(server.prefix / "venv", closed / "bin")
    server.expect("WSGI0108")
    assert not warnings(server), "the workers can follow the link"
    closed.chmod(0o700)
    (line,) = warnings(server, '"wsgi_python_home"')
    assert f"{closed} is closed" in line, "the line must name the folder"
    assert "not there" not in line, "the Python is not gone"
    server.start()
    assert server.ask("/").status == 503, "the workers cannot use it"
    (line,) = server.wait_log("WSGI0108")
    assert f"{closed} is closed" in line and "not there" not in line, "the log has the same reason"


@as_root
def test_a_program_behind_a_closed_folder_is_a_warning(nginx):
    server = prepare_closed(nginx)
    closed = server.prefix / "closed"
    closed.mkdir()
    shutil.copy(os.path.realpath(PYTHON), closed / "python3")
    for name in ("python", "python3", f"python{VERSION}"):
        link = server.prefix / "venv" / "bin" / name
        link.unlink(missing_ok=True)
        link.symlink_to(closed / "python3")
    closed.chmod(0o700)
    (line,) = warnings(server, '"wsgi_python_home"')
    assert f"{closed} is closed" in line, "the link leads into the folder"


@as_root
def test_a_closed_folder_of_the_path_is_a_warning(nginx):
    server = prepare_closed(nginx, "wsgi_python_path @PREFIX@/site @PREFIX@/closed;")
    (server.prefix / "closed").mkdir()
    assert not warnings(server), "the folder is open"
    (server.prefix / "closed").chmod(0o700)
    assert warnings(server, '"nobody"', '"wsgi_python_path"', "closed cannot be read")


PATHS = {
    "missing": ("", "the folder @PREFIX@/path is not there"),
    "a file": ("x = 1\n", "@PREFIX@/path is a file"),
}


@pytest.mark.parametrize("level", ["", "crit"], ids=["the default level", "crit"])
def test_warnings_are_printed_with_any_level_of_the_log(nginx, level):
    server = nginx.prepare(APPLICATION, http="wsgi_python_path @PREFIX@/missing;")
    conf = server.prefix / "nginx.conf"
    conf.write_text(conf.read_text().replace("error.log info;", f"error.log {level};"))
    assert len(warnings(server, "missing is not there")) == 1, "as a warning of a directive is"


@pytest.mark.parametrize("text, words", PATHS.values(), ids=PATHS.keys())
@pytest.mark.parametrize("other", [False, pytest.param(True, marks=as_root)])
def test_a_wrong_folder_of_the_path_is_a_warning(nginx, text, words, other):
    server = nginx.prepare(APPLICATION, http="wsgi_python_path @PREFIX@/path;")
    if other:
        server.run_as_nobody()
    if text:
        server.write("path", text)
    words = words.replace("@PREFIX@", str(server.prefix))
    assert len(warnings(server, '"wsgi_python_path"', words)) == 1, "one sentence"


def test_a_zip_file_of_modules_is_accepted(nginx):
    server = nginx.prepare(
        "location / { wsgi_app zipped:app; }", http="wsgi_python_path @PREFIX@/modules.zip;"
    )
    server.write("modules/zipped.py", GOOD)
    shutil.make_archive(server.prefix / "modules", "zip", server.prefix / "modules")
    assert not warnings(server), "Python can import from it"
    server.start()
    assert server.ask("/").body == b"own", "it must work"


@as_root
def test_the_check_leaves_the_master_s_groups_unchanged(nginx):
    server = nginx.prepare(APPLICATION)
    server.run_as_nobody()
    before = os.getgroups()
    os.setgroups([1, 2, 3])
    try:
        server.start()
    finally:
        os.setgroups(before)
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    assert re.search(r"^Groups:\s+1 2 3\s*$", status, re.M), "only the check had the workers' groups"
