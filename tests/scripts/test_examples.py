"""scripts/check-nginx-examples: which examples load, and what it reports of the others."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts/check-nginx-examples"

GOOD = {
    "a whole file": """
        load_module modules/ngx_http_wsgi_module.so;
        user  www-data;
        events {}
        http { server {
            listen 80; listen [::]:80;
            location / { wsgi_app /srv/app.py app; }
        } }""",
    "statements of main and of http": "worker_processes 4;\n…\nwsgi_threads 16;",
    "a statement of server": "location / { wsgi_app shop.api:create_app(); }",
    "statements of location": "wsgi_app /srv/app.py app;\ninternal;",
    "a virtualenv and folders": """
        wsgi_python_home /srv/venv;
        wsgi_python_path /srv/mysite /srv/shared;
        location / { wsgi_app mysite.wsgi:application; }""",
    "statements of several lines": """
        log_format  timed  '$request '
                           '$wsgi_time';
        access_log  /var/log/nginx/access.log  timed;""",
    "TLS": """
        server {
            listen 443 ssl;
            ssl_certificate /etc/nginx/site.crt;
            ssl_certificate_key /etc/nginx/site.key;
        }""",
    "other servers": "location / { proxy_pass http://store.example; }",
    "words that are not paths, braces or comments": """
        location /srv/ { root /srv/www; }
        location ~ "^/a{2}#;$" { return 200 'a } b; # c'; }   # } {""",
}

WRONG = {
    "no such directive": (
        "wsgi_app /srv/app.py app;\n\nwsgi_ap x;",
        3,
        'unknown directive "wsgi_ap"',
    ),
    "a comment that is broken over two lines": (
        "auth_request_set $user $sent_http_x_user; # behind a proxy it is\n$upstream_http_x_user\n"
        "wsgi_app /srv/app.py app;",
        3,  # the line where the statement ends, which nginx names
        "unknown directive",
    ),
    "the wrong context": (
        "location / { wsgi_threads 8; }",
        1,
        '"wsgi_threads" directive is not allowed',
    ),
    "the wrong context, on its own line": ("server {\n    wsgi_threads 8;\n}", 2, "not allowed here"),
    "the same location twice": ("location / { }\nlocation / { }", 2, "duplicate location"),
    "a block without an end": ("location / { wsgi_app a:b; }\nlocation /a {", 2, "has no end"),
    "an end too many": ("location / { }\n}", 2, "closed that was not opened"),
    "a variable that no module has": ("wsgi_param a $none;", 1, 'unknown "none" variable'),
    "a warning of nginx": ("server { server_name a; }\n" * 2, 1, "conflicting"),
}


def check(tmp_path, *blocks, **environment):
    document = tmp_path / "page.md"
    document.write_text("".join(f"Text.\n\n{block}\n" for block in blocks))
    environment = {**os.environ, **environment}
    return subprocess.run([SCRIPT, document], capture_output=True, text=True, env=environment)


def fenced(text, language="nginx"):
    return f"```{language}\n{text}\n```\n"


@pytest.mark.parametrize("name", GOOD)
def test_an_example_that_loads(tmp_path, name):
    done = check(tmp_path, fenced(GOOD[name]))
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", WRONG)
def test_an_example_that_does_not_load(tmp_path, name):
    example, line, sentence = WRONG[name]
    done = check(tmp_path, fenced(GOOD["TLS"].lstrip("\n")), fenced(example))
    assert done.returncode == 1
    above = 3 + 1 + GOOD["TLS"].count("\n") + 1 + 1 + 3
    assert done.stderr.startswith(f"check-nginx-examples: {tmp_path}/page.md:"), "the document"
    assert sentence in done.stderr, "it has nginx's words"
    if "variable" not in name:
        assert f"page.md:{above + line - 1}: " in done.stderr, "it names the line"


def test_an_example_loads_in_a_folder_that_workers_may_not_read(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    example = GOOD["a virtualenv and folders"] + "\nuser www-data;"
    assert check(tmp_path, fenced(example), TMPDIR=str(closed)).returncode == 0


def test_an_example_for_a_later_nginx_is_skipped(tmp_path):
    later = "<!-- nginx 99.0.0 or later -->\n"
    assert check(tmp_path, later + fenced("not_yet;")).returncode == 0, "this nginx is older"
    older = "<!-- nginx 1.2.3 or later -->\n"
    assert check(tmp_path, older + fenced("not_yet;")).returncode == 1, "this one is not"
    between = f"{later}\nText.\n\n{fenced('not_yet;')}"
    assert check(tmp_path, between).returncode == 1, "the mark must be for the block below it only"


def test_a_block_within_a_list_is_checked(tmp_path):
    assert check(tmp_path, "* So:\n\n  ```nginx\n  wrong;\n  ```\n").returncode == 1


def test_blocks_of_other_languages_are_not_checked(tmp_path):
    assert check(tmp_path, fenced("not_nginx", "text")).returncode == 0


def test_the_scratch_folder_is_removed(tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    check(tmp_path, fenced(GOOD["a whole file"]), fenced("wrong"), TMPDIR=str(scratch))
    assert list(scratch.iterdir()) == []
