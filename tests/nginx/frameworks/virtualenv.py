"""Makes the virtualenv of the frameworks, and runs its programs."""

import fcntl
import hashlib
import shutil
import subprocess
from pathlib import Path

from server import PYTHON, ROOT

REQUIREMENTS = Path(__file__).with_name("requirements.txt")


def run(*command, **how):
    """Runs a command, and returns its output. A failure shows all of it."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, **how)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}"
    return done.stdout


def make():
    """The path of the virtualenv. It is made once, and kept under build/ until its pins change.

    Several test processes may call this: one makes the virtualenv while the others wait.
    """
    version = run(PYTHON, "-c", "import sys; print(sys.executable, sys.version)")
    name = hashlib.sha256(version.encode() + REQUIREMENTS.read_bytes()).hexdigest()[:12]
    home = ROOT / "build" / f"venv-tests-{name}"
    home.parent.mkdir(exist_ok=True)
    with open(home.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "complete").exists():
            shutil.rmtree(home, ignore_errors=True)
            run(PYTHON, "-m", "venv", home)
            options = ["-q", "--require-hashes", "--only-binary", ":all:", "-r", REQUIREMENTS]
            run(home / "bin/python", "-m", "pip", "install", *options)
            (home / "complete").touch()
    return home
