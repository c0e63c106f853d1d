"""scripts/check-words: which phrases it finds, and which texts it does not search."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts/check-words"
PHRASES = ROOT / "scripts/banned-phrases.txt"

FOUND = {
    "credit wakes who waits": "wakes who",
    "It is full. Who waits is woken.": "Who waits",
    "A thread is to\nrelease it.": "is to release",
    "/// A thread is\n/// to release it.": "is to release",
    "# Whoever reads\n# learns of it.": "Whoever",
    " * That nobody\n * replaces it.": "nobody replaces",
    "It waits. Of a request the log has a line.": "Of a",
    "It stays for ever.": "for ever",
    "as PEP 3333 has it": "as PEP 3333 has it",
    "Threads that are no daemons end.": "that are no daemons",
}
LEFT = [
    "A user who waits for it.",
    "The way is to the left.",
    "The number of bytes. Often the rest follows.",
    "There is no thread that waits.",
    "file.tell()",
]
HIDDEN = [
    "```text\nfor ever\n```",
    "The phrase `for ever` is banned.",
    '> "for ever"',
    "<!-- for ever -->",
]


def check(*paths):
    command = [sys.executable, SCRIPT, *paths]
    return subprocess.run(command, capture_output=True, text=True)


def test_the_documents_are_free_of_banned_phrases():
    done = check()
    assert done.returncode == 0, done.stderr


def test_each_phrase_has_an_alternative():
    lines = [it for it in PHRASES.read_text().splitlines() if it and not it.startswith("#")]
    for line in lines:
        expression, alternative = line.split("\t")
        assert re.compile(expression) and alternative, line


@pytest.mark.parametrize("text", FOUND)
def test_a_phrase_is_found_with_its_line(tmp_path, text):
    path = tmp_path / "source.rs"
    path.write_text(f"\n\n{text}\n")
    done = check(path)
    assert done.returncode == 1, "the script must find the phrase"
    assert repr(FOUND[text])[1:-1] in done.stderr, done.stderr
    assert f"{path}:3: " in done.stderr, done.stderr


@pytest.mark.parametrize("text", LEFT)
def test_plain_english_is_left_alone(tmp_path, text):
    path = tmp_path / "page.md"
    path.write_text(f"{text}\n")
    assert check(tmp_path).returncode == 0


@pytest.mark.parametrize("text", HIDDEN)
def test_code_and_quotations_of_a_document_are_not_searched(tmp_path, text):
    path = tmp_path / "page.md"
    path.write_text(f"{text}\n\nAnd so many others.\n")
    done = check(path)
    assert "so many" in done.stderr and "for ever" not in done.stderr, done.stderr
    assert f"page.md:{len(text.splitlines()) + 2}: " in done.stderr, "the line number must be right"


def test_released_versions_are_not_searched(tmp_path):
    path = tmp_path / "CHANGELOG.md"
    path.write_text("# Changelog\n\n## [Unreleased]\n\n* So many.\n\n## [0.1.0]\n\n* For ever.\n")
    done = check(path)
    assert "So many" in done.stderr and "For ever" not in done.stderr, done.stderr
