"""make install-library: pkg-config is enough to build a host with the installed library."""

import os
import pathlib
import re
import shlex
import subprocess

import pytest
from conftest import AS_C, HERE, PROGRAMS, ROOT, WARNINGS

PYTHON = os.environ.get("PYTHON", "/usr/bin/python3")
INSTALLED = ["include/wsgi.h", "lib/libwsgi.a", "lib/pkgconfig/libwsgi.pc"]


def install(prefix, destdir="", **variables):
    command = ["make", "--no-print-directory", "install-library"]
    given = {**os.environ, "PREFIX": str(prefix), "DESTDIR": str(destdir), **variables}
    # A make that runs the tests sets variables for its children, and this make is not one of them.
    for name in ("MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "PKG_CONFIG_PATH"):
        given.pop(name, None)
    return subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True)


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def pkg_config(folder, *arguments):
    """The words that pkg-config prints for libwsgi, if it searches `folder`."""
    environment = {**os.environ, "PKG_CONFIG_PATH": str(folder)}
    command = ["pkg-config", *arguments, "libwsgi"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return shlex.split(done.stdout)


def runs(program, flags, folder):
    sources = [str(ROOT / source) for source in PROGRAMS[program]]
    output = str(folder / program)
    subprocess.run([*AS_C, *WARNINGS, "-o", output, *sources, *flags], cwd=folder, check=True)
    app = str(HERE / "apps/echo.py")
    if program == "c_host":
        done = subprocess.run([output, app, "hello"], capture_output=True, timeout=60)
        return done.stdout.endswith(b"Hello world!")
    with subprocess.Popen([output, app, "hello"], stdout=subprocess.PIPE) as process:
        listens = process.stdout.readline().startswith(b"http://127.0.0.1:")
        process.terminate()
    return listens and process.returncode == 0


@pytest.mark.parametrize("static", [[], ["--static"]], ids=["", "static"])
@pytest.mark.parametrize("program", ["c_host", "event_host"])
def test_a_host_is_built_by_pkg_config(tmp_path, program, static):
    done = install(tmp_path / "there")
    assert done.returncode == 0, done.stderr
    assert f"export PKG_CONFIG_PATH={tmp_path}/there/lib/pkgconfig\n" in done.stdout
    assert files(tmp_path / "there") == INSTALLED
    flags = pkg_config(tmp_path / "there/lib/pkgconfig", "--cflags", "--libs", *static)
    assert runs(program, flags, tmp_path)


def test_a_package_names_the_prefix_and_not_the_folder_where_it_is_made(tmp_path):
    done = install("/usr/local", tmp_path / "package")
    assert done.returncode == 0, done.stderr
    assert files(tmp_path / "package") == [f"usr/local/{name}" for name in INSTALLED]
    folder = tmp_path / "package/usr/local/lib/pkgconfig"
    assert str(tmp_path) not in (folder / "libwsgi.pc").read_text()
    moved = f"--define-variable=prefix={tmp_path}/package/usr/local"
    assert runs("c_host", pkg_config(folder, moved, "--cflags", "--libs"), tmp_path)


def test_the_installed_version_is_that_of_the_crate(tmp_path):
    install(tmp_path)
    (version,) = re.findall(r'^version = "(.*)"$', (ROOT / "Cargo.toml").read_text(), re.M)
    assert pkg_config(tmp_path / "lib/pkgconfig", "--modversion") == [version]
    pkg_config(tmp_path / "lib/pkgconfig", "--validate")


def built_for(python, folder, place):
    """A file that names a Python as libwsgi.a does."""
    library = place / "libwsgi.a"
    library.write_bytes(b"!<arch>\0libwsgi was built for\n%b\n%b\0" % (bytes(python), bytes(folder)))
    return library


def test_the_python_is_the_one_that_the_library_was_built_for(tmp_path):
    """The user who installs may be another user, with another PYTHON."""
    python = tmp_path / "python3"
    python.write_text("#!/bin/sh\necho -L/opt/python -lpython3.99\n")
    python.chmod(0o755)
    environment = {**os.environ, "PREFIX": str(tmp_path), "DESTDIR": ""}
    environment["WSGI_LIBRARY"] = str(built_for(python, tmp_path, tmp_path))
    environment["WSGI_INCLUDE"] = str(ROOT / "include")
    subprocess.run([ROOT / "scripts/install-library"], env=environment, check=True)
    assert "-lpython3.99" in pkg_config(tmp_path / "lib/pkgconfig", "--libs")


def test_python_link_refuses_a_library_of_another_python(tmp_path):
    library = built_for(pathlib.Path("/opt/bin/python3"), tmp_path, tmp_path)
    command = [PYTHON, ROOT / "scripts/python-link", library]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert f"{library} was built for another Python, /opt/bin/python3." in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    "prefix, sentence",
    [
        ("/proc/libwsgi", "cannot write to /proc/libwsgi/lib; try: sudo make install-library"),
        ("usr/local", "PREFIX=usr/local is not an absolute path"),
        ("/opt/my folder", "pkg-config would not understand PREFIX=/opt/my folder"),
        ("", "PREFIX= is not an absolute path"),
    ],
)
def test_an_invalid_prefix_is_refused(prefix, sentence):
    done = install(prefix)
    assert done.returncode != 0
    assert sentence in done.stderr
