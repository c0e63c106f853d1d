"""The blocks "Syntax, Default, Context" of the documents: nginx accepts each directive there."""

import re
import sys

import pytest

from server import ROOT

pytestmark = [
    pytest.mark.not_inline("no application runs"),
    pytest.mark.not_validated("no application runs"),
    pytest.mark.not_newer("what it names, such as /usr, belongs to the other Python"),
]

PAGES = [ROOT / "docs" / name for name in ("directives.md", "responses.md")]
SECTION = re.compile(r"^## (wsgi_\w+)$(.*?)(?=^## |\Z)", re.S | re.M)
BLOCK = re.compile(r"^Syntax: +(.*?)^Default: +(.*?)^Context: +(.*?)^```", re.S | re.M)
CONTEXTS = ["main", "http", "server", "location", "if in location"]

# The values to use if a default is not a directive.
VALUES = {
    "wsgi_umask": "wsgi_umask 027;",
    "wsgi_app": "wsgi_app module:app;",
    "wsgi_python_home": f"wsgi_python_home {sys.base_prefix};",
    "wsgi_python_path": "wsgi_python_path @PREFIX@;",
    "wsgi_param": "wsgi_param NAME value;",
    "wsgi_temp_path": "wsgi_temp_path @PREFIX@/wsgi;",
    "wsgi_ignore_headers": "wsgi_ignore_headers X-Accel-Redirect;",
    "wsgi_hide_header": "wsgi_hide_header X-Powered-By;",
    "wsgi_pass_header": "wsgi_pass_header X-Accel-Expires;",
}


def sections():
    """{directive: (its forms, its default, its contexts)}"""
    found = {}
    for page in PAGES:
        for name, text in SECTION.findall(page.read_text()):
            block = BLOCK.search(text)
            if block:
                forms, default, contexts = (part.strip() for part in block.groups())
                found[name] = forms, default, re.split(r",\s*", contexts)
    return found


DIRECTIVES = sections()


def place(context, statement):
    """The parts of a configuration with a statement in one context."""
    parts = {"MAIN": "", "HTTP": "", "SERVER": ""}
    within = {
        "location": "location / { %s }",
        "if in location": "location / { if ($arg_a) { %s } }",
    }
    where = {"main": "MAIN", "http": "HTTP"}.get(context, "SERVER")
    parts[where] = within.get(context, "%s") % statement
    return parts


@pytest.mark.parametrize("name", DIRECTIVES)
def test_a_directive_is_accepted_in_its_contexts_only(nginx, name):
    forms, default, contexts = DIRECTIVES[name]
    assert set(contexts) <= set(CONTEXTS), "each must be a context of nginx"
    statement = VALUES.get(name, default)
    assert statement.startswith(name), f"VALUES must have a value that nginx accepts for {name}"
    server = nginx.prepare()
    for context in CONTEXTS:
        server.write_configuration(**place(context, statement))
        said = server.check()
        if context in contexts:
            assert said.returncode == 0, f"in {context}: {said.stderr}"
        else:
            assert f'"{name}" directive is not allowed here' in said.stderr, f"in {context}"


@pytest.mark.parametrize("name", DIRECTIVES)
def test_syntax_and_default_are_directives(name):
    forms, default, _ = DIRECTIVES[name]
    for form in re.split(r"\n\s*", forms):
        assert re.fullmatch(rf"{name}( .+)?;", form), "each form must be a directive"
    if default.startswith("wsgi_"):
        assert re.fullmatch(rf"{name} .+;", default), "the default must be a directive"


def test_all_directives_have_such_a_block():
    source = "".join(path.read_text() for path in (ROOT / "ngx_module").glob("*.c"))
    there = set(re.findall(r'ngx_string\("(wsgi_\w+)"\)', source))
    variables = set(re.findall(r"^## \$(wsgi_\w+)$", PAGES[0].read_text(), re.M))
    assert set(DIRECTIVES) == there - variables
