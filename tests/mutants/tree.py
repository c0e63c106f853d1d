"""The copy of the project that is broken, one mutant at a time, and how it is built."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TREE = ROOT / "build/mutants/tree"

# As few optimizations as the tests put up with.
QUICK = {
    "CARGO_PROFILE_RELEASE_LTO": "off",
    "CARGO_PROFILE_RELEASE_CODEGEN_UNITS": "16",
    "CARGO_PROFILE_RELEASE_OPT_LEVEL": "1",
    "CARGO_PROFILE_RELEASE_DEBUG": "0",
    "CARGO_PROFILE_TEST_DEBUG": "0",
}
LIBRARY = TREE / "target/release/libwsgi.a"


def environment():
    """What the Makefile exports, for the copy."""
    python = os.environ["PYTHON"]
    places = {
        "CARGO_TARGET_DIR": str(TREE / "target"),
        "WSGI_INCLUDE": str(TREE / "include"),
        "WSGI_LIBRARY": str(LIBRARY),
        "WSGI_MODULE": str(TREE / "build/ngx_http_wsgi_module.so"),
        "PYO3_PYTHON": python,
    }
    command = [python, str(ROOT / "scripts/python-link"), str(LIBRARY)]
    link = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    return {**os.environ, **QUICK, **places, "WSGI_LINK": link, "COLUMNS": "200"}


def copy():
    """Makes the copy what the project is now, and gives a number that changes with any file.

    What has not changed keeps its time, for make and cargo.
    """
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    names = [name for name in names.split("\0") if name and (ROOT / name).is_file()]
    for name in names:
        there = TREE / name
        if not there.exists() or there.read_bytes() != (ROOT / name).read_bytes():
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, there)
    for folder in ("src", "ngx_module", "tests"):
        for path in (TREE / folder).rglob("*"):
            if path.is_file() and str(path.relative_to(TREE)) not in names:
                path.unlink()
    (TREE / "build").mkdir(exist_ok=True)
    venv = TREE / "build/venv"
    if not venv.is_symlink():
        venv.symlink_to(ROOT / "build/venv")
    whole = hashlib.sha256()
    for name in sorted(names):
        whole.update(name.encode() + b"\0" + (TREE / name).read_bytes())
    return whole.hexdigest()[:16]


def code_of_module():
    """The machine code of each file of the module, without what is for debuggers."""
    found = {}
    for path in sorted((TREE / "build/nginx-src/objs/addon/ngx_module").glob("*.o")):
        stripped = TREE / "build/stripped.o"
        subprocess.run(["strip", "-g", "-o", str(stripped), str(path)], check=True)
        found[f"ngx_module/{path.stem}.c"] = stripped.read_bytes()
    return found


def allow_warnings():
    """A mutant with an unused variable must be tried, not refused."""
    makefile = TREE / "build/nginx-src/objs/Makefile"
    text = makefile.read_text()
    if " -Werror" in text:
        makefile.write_text(text.replace(" -Werror", ""))
