"""scripts/python-link and cargo refuse a Python without the global interpreter lock, with a
sentence, before anything is built. `make` runs python-link first, other users run cargo.
"""

import os
import subprocess
import sys

from conftest import ROOT

# What a free-threaded Python reports of itself.
PRETEND = """
import runpy, sysconfig
sysconfig.get_config_vars()["Py_GIL_DISABLED"] = 1
runpy.run_path("scripts/python-link", run_name="__main__")
"""
CONFIG = f"""implementation=CPython
version=3.14
shared=true
lib_name=python3.14t
executable={sys.executable}
pointer_width=64
build_flags=Py_GIL_DISABLED
"""


def test_python_link_refuses_a_free_threaded_python():
    command = [sys.executable, "-c", PRETEND]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert "it is free-threaded, and libwsgi relies on the global interpreter lock" in done.stderr
    assert done.stdout == ""


def test_the_crate_refuses_a_free_threaded_python():
    folder = ROOT / "build" / "free-threaded"
    folder.mkdir(parents=True, exist_ok=True)
    # Do not write an existing file again: cargo would build all dependents again.
    config = folder / "config.txt"
    if not config.exists() or config.read_text() != CONFIG:
        config.write_text(CONFIG)
    done = subprocess.run(
        [os.environ.get("CARGO", "cargo"), "check", "--locked", "--quiet", "--target-dir", folder],
        env=os.environ | {"PYO3_CONFIG_FILE": str(config)},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert "libwsgi relies on Python's global interpreter lock" in done.stderr
    assert "panicked" not in done.stderr
