"""scripts/python-link: it must name the libraries that rustc lists for libwsgi.a."""

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


def test_the_linker_line_is_that_of_rustc():
    cargo = os.environ.get("CARGO") or output("scripts/find-cargo").strip()
    library = ["--locked", "--lib", "--crate-type", "staticlib"]
    said = SAID.search(output(cargo, "rustc", *library, "--", "--print", "native-static-libs"))
    assert said, "rustc must list what a program with the library links"
    line = output(PYTHON, "scripts/python-link").split()
    ours = [word for word in line if word.startswith("-l")]
    assert ours == said[1].split(), "python-link must print libpython, then the list of rustc"
