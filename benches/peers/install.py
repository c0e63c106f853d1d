"""What is installed from PyPI, in which version, and where: one folder for each distribution.

A folder for each, and not one virtualenv, so that no server's dependency decides the version of
another's, and one that does not build leaves the others alone.
"""

import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "peers"
PINS = pathlib.Path(__file__).with_name("pins")
PYTHON = os.environ.get("PYTHON", "/usr/bin/python3")

# scripts/refresh-pins writes pins/NAME.txt from this: with all that each needs, and with hashes.
# "build" is what those need to be compiled of which the registry has sources only.
#
# fastwsgi asks setuptools for its own version, with a module that setuptools 82 no longer has.
# caddysnake 0.3.0 is the last one for Python 3.11.
PINNED = {
    "build": ["setuptools==80.9.0", "wheel==0.45.1"],
    "bjoern": ["bjoern==3.2.2"],
    "caddysnake": ["caddysnake==0.3.0"],
    "fastwsgi": ["fastwsgi==0.0.9", "setuptools==80.9.0"],
    "granian": ["granian==2.8.7"],
    "gunicorn": ["gunicorn==27.0.1"],
    "mod_wsgi": ["mod_wsgi==6.1.1"],
    "pyruvate": ["pyruvate==1.6.1"],
    "pyvoy": ["pyvoy==1.3.0"],
    "socketify": ["socketify==0.0.31"],
    "uwsgi": ["uwsgi==2.0.31"],
    "waitress": ["waitress==3.0.2"],
}

# These do not install, for the reason given. Reports name them, so that a reader need not search.
LEFT_OUT = {"meinheld": "its greenlet (< 0.5) does not build on Python 3.11 and later"}


def folder_of(distribution):
    return FOLDER / distribution


def version_of(distribution):
    return PINNED[distribution][0].partition("==")[2]


def is_installed(distribution):
    return _stamp(distribution).exists() and _stamp(distribution).read_text() == _wanted(
        distribution
    )


def install(distributions):
    """Installs what is not yet there. Returns {distribution: reason} for those that cannot be."""
    failed = {}
    for distribution in distributions:
        reason = None if is_installed(distribution) else _install(distribution)
        if reason:
            failed[distribution] = reason
    return failed


def _install(distribution):
    python = _scratch_python()
    folder, log = folder_of(distribution), FOLDER / f"{distribution}.log"
    shutil.rmtree(folder, ignore_errors=True)
    print(f"peers: installing {' '.join(PINNED[distribution])}", file=sys.stderr, flush=True)
    command = [*_pip_install(python, distribution), "--target", folder, "--no-build-isolation"]
    with log.open("wb") as output:
        code = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        ).returncode
    if code:
        return _why(log)
    _stamp(distribution).write_text(_wanted(distribution))
    return None


def _pip_install(python, name):
    """The command that installs what pins/NAME.txt says, and nothing else than that."""
    command = [python, "-m", "pip", "install", "--disable-pip-version-check", "--require-hashes"]
    return [*command, "-r", PINS / f"{name}.txt"]


def _why(log):
    """The line of pip's output that tells most: the first that names an error."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines()]
    for mark in ("fatal error:", "RuntimeError:", "error:", "ERROR:"):
        for line in lines:
            if mark in line and "subprocess-exited-with-error" not in line:
                return f"{line[:160]} (all of it: {log.relative_to(ROOT)})"
    return f"pip failed, see {log.relative_to(ROOT)}"


def _scratch_python():
    """A virtualenv's, that holds pip and what "build" names: Debian's own may not install.

    Otherwise pip would fetch what a build needs by itself, in any version and without a hash.
    """
    home, wanted = FOLDER / "pip", _wanted("build")
    python, stamp = home / "bin" / "python", home / "installed-as"
    if not stamp.exists() or stamp.read_text() != wanted:
        shutil.rmtree(home, ignore_errors=True)
        subprocess.run([PYTHON, "-m", "venv", home], check=True)
        subprocess.run([*_pip_install(python, "build"), "--quiet"], check=True)
        stamp.write_text(wanted)
    return python


def _stamp(distribution):
    return folder_of(distribution) / "installed-as"


def _wanted(distribution):
    version = subprocess.run(
        [PYTHON, "-c", "import sys; print(sys.version)"], capture_output=True, text=True, check=True
    ).stdout
    return version + (PINS / f"{distribution}.txt").read_text()
