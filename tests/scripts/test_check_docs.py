"""scripts/check-docs: what it reports of documents that do not agree with the sources."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import log_lines  # noqa: E402

OUT = ("target", "build", ".git", "__pycache__", "fuzz")

# A document or a source, a part of it, the text that replaces the part, and what check-docs
# reports.
WRONG = {
    "a clause without its test": (
        "docs/pep3333.md",
        "* `tests/nginx/test_rules.py::test_exc_info_is_not_kept`\n",
        "",
        "no test for: > \"servers … **should** ensure",
    ),
    "a clause that names no side": (
        "docs/pep3333.md",
        "**Server.** Each request gets",
        "Each request gets",
        "does not name who must follow",
    ),
    "a rule that is left out": ("docs/pep3333.md", "### 7. ", "### 8. ", "numbered from 1 to 36"),
    "a test that does not exist": (
        "docs/nginx-features.md",
        "::test_gunzip_decompresses`",
        "::test_gunzips`",
        "there is no test",
    ),
    "a feature without its test": (
        "docs/nginx-features.md",
        "* `tests/nginx/test_features_filters.py::test_gunzip_decompresses`\n",
        "",
        "no test for: `gunzip`",
    ),
    "a severity of the page": (
        "docs/errors.md",
        "**Severity.** emerg\n\n**Logged as.**\n\n```text\nWSGI0108",
        "**Severity.** alert\n\n**Logged as.**\n\n```text\nWSGI0108",
        "does not say that WSGI0108 is logged as emerg",
    ),
    "a severity of a source": (
        "src/runtime/mod.rs",
        "log(None, Level::Error, &text);",
        "log(None, Level::Warn, &text);",
        "does not say that WSGI0001 is logged as warn",
    ),
    "words of the page": (
        "docs/errors.md",
        "WSGI0216 write() takes bytes",
        "WSGI0216 write() wants bytes",
        "has words that no source has",
    ),
    "words of a source in Rust": (
        "src/wsgi/start_response.rs",
        "write() takes bytes",
        "write() wants bytes",
        "has words that no source has",
    ),
    "words of a source in C": (
        "ngx_module/ngx_http_wsgi_fork.c",
        "WSGI0105 pthread_atfork() failed",
        "WSGI0105 pthread_atfork() has failed",
        "does not have the line of ngx_module/ngx_http_wsgi_fork.c",
    ),
    "a line that no source writes": (
        "docs/errors.md",
        "```text\nWSGI0111 atexit() failed\n",
        "```text\nWSGI0111 atexit() failed\nWSGI0111 fork() failed\n",
        "has a line that no source writes",
    ),
    "a number of a source": (
        "ngx_module/ngx_http_wsgi_fork.c",
        "WSGI0105 ",
        "WSGI0199 ",
        "does not describe WSGI0199",
    ),
    "a section without an action": (
        "docs/errors.md",
        "**Action.** Please report",
        "Please report",
        "Action of WSGI0004",
    ),
    "an anchor that does not exist": (
        "docs/performance.md",
        "directives.md#wsgi_threads)",
        "directives.md#wsgi_thread)",
        "there is no #wsgi_thread in docs/directives.md",
    ),
}

LOGGED = "2026/11/27 20:00:00 [{}] 7#8: *9 {}, client: 127.0.0.1\n"
RAISED = "WSGI0201 the application raised KeyError: 'id'; the answer is 500"
ENDS = "WSGI0302 os._exit(3) ends process 12; the stack of its Python follows"


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("check-docs") / "copy"
    return Path(shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*OUT)))


def check(copy):
    return subprocess.run(
        [sys.executable, copy / "scripts/check-docs"], capture_output=True, text=True
    )


def test_the_documents_are_right(copy):
    done = check(copy)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", WRONG)
def test_each_fault_is_reported(copy, name):
    path, there, instead, said = WRONG[name]
    text = (copy / path).read_text()
    assert there in text, "this test must know the document"
    (copy / path).write_text(text.replace(there, instead))
    try:
        done = check(copy)
    finally:
        (copy / path).write_text(text)
    assert done.returncode == 1 and said in done.stderr, done.stderr


@pytest.mark.parametrize(
    "line",
    [
        LOGGED.format("error", RAISED),
        "nginx: [emerg] WSGI0101 wsgi_app: there is no file /a.py in /etc/nginx.conf:7\n",
        f"{ENDS}\n",
        LOGGED.format("error", f"the application quotes: {ENDS}"),
    ],
)
def test_a_line_that_the_page_describes(line):
    assert not list(log_lines.unlike(line, log_lines.described()))


@pytest.mark.parametrize(
    "line",
    [
        LOGGED.format("warn", RAISED),
        LOGGED.format("error", RAISED.replace("raised", "threw")),
        LOGGED.format("error", "WSGI0999 something new"),
        LOGGED.format("error", ENDS),
        f"{RAISED}\n",
    ],
)
def test_a_line_that_the_page_does_not_describe(line):
    assert list(log_lines.unlike(line, log_lines.described())) == [line.rstrip("\n")]
