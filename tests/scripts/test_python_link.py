"""scripts/python-link: the libraries that it names are those that rustc says libwsgi.a needs."""

import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYTHON = os.environ.get("PYTHON", "/usr/bin/python3")
SAID = re.compile(r"^note: native-static-libs: (.*)$", re.M)


def output(*command):
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYO3_PYTHON": PYTHON, "CARGO_TERM_COLOR": "never"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_the_linker_line_is_what_rustc_says():
    cargo = os.environ.get("CARGO") or output("scripts/find-cargo").strip()
    library = ["--locked", "--lib", "--crate-type", "staticlib"]
    said = SAID.search(output(cargo, "rustc", *library, "--", "--print", "native-static-libs"))
    assert said, "rustc says what a program with the library is linked with"
    line = output(PYTHON, "scripts/python-link").split()
    ours = [word for word in line if word.startswith("-l")]
    assert ours == said[1].split(), "NATIVE of scripts/python-link, and libpython before it"
