"""What `make lint` compares with the sources: each check must find its fault."""

import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from checks import limits, module_files, quotations  # noqa: E402


def write(root, files):
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


THREE = '"' * 3
TO_THE_LETTER = """\
/// "the server should not transmit more bytes to the client than the header
/// allows, and should stop iterating"
"""


@pytest.mark.parametrize(
    "name, text, is_right",
    [
        ("src/wsgi/a.rs", TO_THE_LETTER, True),
        ("src/wsgi/a.rs", TO_THE_LETTER.replace("bytes", "octets"), False),
        ("src/wsgi/a.rs", '// "The server … than the header allows ... stop iterating"', True),
        ("src/wsgi/a.rs", '// "a new word … than the header allows"', False),
        ("src/wsgi/a.rs", '// RFC 9110: "A server MUST NOT send a Content-Length header"', True),
        ("src/wsgi/a.rs", '// a rule\n//\n// "A server MUST NOT send a header"', False),
        ("src/wsgi/a.rs", 'let text = "no word of it is quoted";', True),
        ("src/wsgi/a.rs", "/// \"forbidden from using HTTP/1.1 'hop-by-hop'\"", True),
        ("src/host/a.rs", '// It is "of no other document".', True),
        ("src/host/a.rs", '// PEP 3333: it is "of no other document".', False),
        ("ngx_module/a.c", '/*\n * PEP 3333: "attempts to read\n * from the input"\n */', True),
        ("ngx_module/a.c", '/* PEP 3333: "on the first attempt" */', False),
        ("tests/a.py", f'def f():\n    {THREE}PEP 3333: "any number of them".{THREE}\n', False),
        ("docs/a.md", 'The PEP says "**must not** delay\nthe transmission of any block".\n', True),
        ("docs/a.md", "The PEP says `if x == \"not quoted at all\"`.\n", True),
        ("docs/pep3333.md", '> "servers **should** delay\n> the transmission"\n', False),
        ("docs/pep3333.md", '| "must return a `write(body_data)` callable" | yes |\n', True),
        ("docs/pep3333.md", '| "call that method [close()] upon completion" | yes |\n', True),
        ("docs/pep3333.md", "> \"generate any 'hop-by-hop' headers … or use RFC 2047\"\n", True),
    ],
)
def test_a_quotation_must_be_in_the_pep(tmp_path, name, text, is_right):
    write(tmp_path, {name: text, quotations.TEXT: (ROOT / quotations.TEXT).read_text()})
    faults = list(quotations.faults(tmp_path))
    assert (not faults) == is_right, faults


def test_the_quotations_of_the_pep_are_found():
    found = [*quotations.quotations(ROOT, ROOT / "docs/pep3333.md")]
    assert len(found) > 90, "the check must find the quotations of all clauses"


MODULE = {
    "ngx_module/config": "$ngx_addon_dir/ngx_http_wsgi_a.c $ngx_addon_dir/ngx_http_wsgi_b.c",
    "docs/architecture.md": "| `ngx_http_wsgi_a.c` | one |\n| `ngx_http_wsgi_b.c` | two |\n",
    "ngx_module/ngx_http_wsgi_a.c": "ngx_int_t\nngx_http_wsgi_one(void)\n{\n}\n\n\n"
    "void\nngx_http_wsgi_next(void)\n{\n}\n",
    "ngx_module/ngx_http_wsgi_b.c": "static void\nngx_http_wsgi_two(void)\n{\n}\n",
    "ngx_module/ngx_http_wsgi_module.h": "/* ngx_http_wsgi_a.c */\n\n"
    "ngx_int_t ngx_http_wsgi_one(void);\nvoid ngx_http_wsgi_next(void);\n\n"
    "/* ngx_http_wsgi_b.c */\n\n",
}


@pytest.mark.parametrize(
    "name, old, new, fault",
    [
        ("config", "", "", None),
        ("config", "$ngx_addon_dir/ngx_http_wsgi_b.c", "", "does not have ngx_http_wsgi_b.c"),
        ("config", "_b.c", "_c.c", "has ngx_http_wsgi_c.c, which is not a file of"),
        ("config", "_b.c", "_a.c", "has ngx_http_wsgi_a.c more than once"),
        ("config", "_a.c $ngx_addon_dir/ngx_http_wsgi_b.c", "_b.c $ngx_addon_dir/ngx_http_wsgi_a.c",
         "has ngx_http_wsgi_b.c instead of ngx_http_wsgi_a.c"),
        ("architecture.md", "_b.c", "_c.c", "has ngx_http_wsgi_c.c, which is not a file of"),
        ("module.h", "_a.c", "_c.c", "below ngx_http_wsgi_c.c; ngx_http_wsgi_a.c defines it"),
        ("module.h", "ngx_int_t ngx_http_wsgi_one(void);\nvoid ngx_http_wsgi_next(void);",
         "void ngx_http_wsgi_next(void);\nngx_int_t ngx_http_wsgi_one(void);",
         "has ngx_http_wsgi_next instead of ngx_http_wsgi_one"),
        ("module.h", "_one", "_three", "declares ngx_http_wsgi_three, which ngx_module does not"),
        ("wsgi_b.c", "static ", "", "make it static, or declare it"),
    ],
)
def test_the_lists_of_the_module_s_files_agree(tmp_path, name, old, new, fault):
    files = {
        path: text.replace(old, new) if path.endswith(name) else text
        for path, text in MODULE.items()
    }
    write(tmp_path, files)
    faults = "\n".join(module_files.faults(tmp_path))
    assert fault in faults if fault else not faults, faults


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the files that have limits and defaults."""
    root = tmp_path_factory.mktemp("copy")
    for folder in ("src", "ngx_module", "include", "docs"):
        shutil.copytree(ROOT / folder, root / folder)
    return root


@pytest.mark.parametrize(
    "name, old, new, fault",
    [
        ("docs/directives.md", "", "", None),
        ("docs/directives.md", "wsgi_queue_timeout 30s;", "wsgi_queue_timeout 31s;", "is 31s, the"),
        ("docs/directives.md", "wsgi_buffering on;", "wsgi_buffering off;", "is off, the module"),
        ("docs/directives.md", "Default:  wsgi_threads", "Default:  wsgi_new", "for wsgi_new"),
        ("ngx_module/ngx_http_wsgi_conf.c", "WSGI_DEFAULT_BUFFER_SIZE", "65536", "has 65536"),
        ("include/wsgi.h", "WSGI_MAX_THREADS 1024", "WSGI_MAX_THREADS 99", "of wsgi.h is 99"),
        ("src/host/request/upload.rs", "= 256 * 1024;", "= 9 * 1024;", "of upload.rs is 9216"),
        ("src/host/request/upload.rs", "CAPACITY", "PLACE", "there is no CAPACITY in upload.rs"),
        ("src/host/line.rs", "const LIMIT:", "const BOUND:", "there is no MOST in line.rs"),
        ("docs/architecture.md", "about 1024 events", "many events", None),
        ("docs/architecture.md", "A block under", "Blocks under", 'not say "A block under {}"'),
    ],
)
def test_each_text_states_the_limit_of_the_sources(copy, name, old, new, fault):
    text = (copy / name).read_text()
    assert old in text, "the test must know the sources"
    (copy / name).write_text(text.replace(old, new))
    try:
        faults = "\n".join(limits.faults(copy))
    finally:
        (copy / name).write_text(text)
    assert fault in faults if fault else not faults, faults
