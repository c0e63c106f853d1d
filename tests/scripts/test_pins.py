"""pip and cargo download only the chosen files: pip by hashes, cargo by lock files."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benches"))

from peers.install import PINNED  # noqa: E402

PINS = ROOT / "benches/peers/pins"
WRITTEN = [
    ROOT / "scripts/uv.in",
    ROOT / "tests/requirements.in",
    ROOT / "tests/newer/requirements.in",
    ROOT / "tests/nginx/frameworks/requirements.in",
]
FILES = [path.with_suffix(".txt") for path in WRITTEN] + [PINS / f"{name}.txt" for name in PINNED]


CARGO = r"""(\$\(CARGO\)|"\$CARGO"|\[CARGO,|"CARGO", "cargo"\)[,\]]*)"""


def name_of(requirement):
    return re.match(r"[\w.-]+", requirement)[0].lower().replace("_", "-").replace(".", "-")


def pins(text):
    """{name: version} for each line of a file of requirements."""
    found = re.findall(r"^([\w.-]+)==([^\s;\\]+)", text, re.M)
    return {name_of(name): version for name, version in found}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_requirement_has_a_hash(path):
    text = path.read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    assert lines
    for line in lines:
        assert re.search(r"^[\w.-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", line), "name, version, hash"


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_pins_have_the_chosen_versions(path):
    chosen, installed = pins(path.read_text()), pins(path.with_suffix(".txt").read_text())
    assert chosen.items() <= installed.items(), "run scripts/refresh-pins"


def test_the_pins_of_the_peers_have_the_chosen_versions():
    for name, wanted in PINNED.items():
        installed = pins((PINS / f"{name}.txt").read_text())
        assert pins("\n".join(wanted)).items() <= installed.items(), "run scripts/refresh-pins"
    assert {path.stem for path in PINS.iterdir()} == set(PINNED), "there must be no other file"


def commands():
    """Each file of the project that may run pip or cargo, with its text."""
    listed = ["git", "ls-files", "Makefile", "scripts", "tests", "benches", ".ci"]
    for name in subprocess.run(listed, cwd=ROOT, capture_output=True, text=True).stdout.split():
        path = ROOT / name
        if path.suffix in ("", ".py") and path != Path(__file__):
            yield name, path.read_text(errors="replace")


def test_each_call_of_pip_requires_hashes():
    found = 0
    for name, text in commands():
        for place in re.finditer(r'-m",? "?pip"?,? "?install|\bpip install\b', text):
            if text[: place.start()].rpartition("\n")[2].lstrip().startswith("#"):
                continue
            found += 1
            around = text[max(0, place.start() - 300) : place.end() + 300]
            assert "--require-hashes" in around, f"{name}: {around}"
    assert found >= 4


def test_each_call_of_cargo_keeps_to_its_lock_files():
    found = 0
    verbs = "build|test|clippy|run|bench|rustc|check|metadata|fetch|install|doc|update"
    for name, text in commands():
        for line in text.replace("\\\n", " ").splitlines():
            if re.search(rf"{CARGO} *\"?({verbs})\b", line):
                found += 1
                assert "--locked" in line, f"{name}: {line}"
    assert found >= 9
