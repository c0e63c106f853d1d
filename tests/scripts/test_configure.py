"""ngx_module/config: nginx's ./configure names what is missing, before the compiler fails.

The file runs as configure runs it, with nginx's own auto/feature; the rest of configure is left out.
"""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NGINX_SRC = Path(os.environ.get("NGINX_SRC", "/usr/share/nginx/src"))
LINK = os.environ["WSGI_LINK"]

# What configure has set when it comes to the modules.
SETTINGS = """
CC=${CC:-cc} CC_TEST_FLAGS=-pipe CC_AUX_FLAGS=-D_GNU_SOURCE NGX_TEST_LD_OPT=
NGX_INCLUDE_UNISTD_H='#include <unistd.h>'
NGX_AUTOCONF_ERR=autoconf.err NGX_AUTOTEST=./autotest ngx_n=-n ngx_c=
ngx_module_link=DYNAMIC ngx_addon_dir=@ROOT@/ngx_module
. @ROOT@/ngx_module/config
"""


@pytest.fixture
def configure(tmp_path):
    (tmp_path / "auto").mkdir()
    for name in ("feature", "have"):
        (tmp_path / "auto" / name).symlink_to(NGINX_SRC / "auto" / name)
    (tmp_path / "auto" / "module").write_text('echo "module $ngx_module_name"\n')
    (tmp_path / "configure").write_text(SETTINGS.replace("@ROOT@", str(ROOT)))

    def run(**variables):
        environment = {
            **os.environ,
            "WSGI_INCLUDE": str(ROOT / "include"),
            "WSGI_LINK": LINK,
            **variables,
        }
        return subprocess.run(
            ["sh", "./configure"],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run


def test_nothing_is_missing(configure):
    done = configure()
    assert done.returncode == 0, done.stdout + done.stderr
    found = [line for line in done.stdout.splitlines() if line.startswith("checking for ")]
    assert len(found) == 5 and all(line.endswith(" found") for line in found), found
    assert "not found" not in done.stdout
    assert "module ngx_http_wsgi_module" in done.stdout, "and nginx builds the module"


@pytest.mark.parametrize(
    "variables, sentence",
    [
        ({"WSGI_LINK": ""}, "the WSGI module needs to know where libwsgi is"),
        ({"WSGI_INCLUDE": ""}, "the WSGI module needs to know where libwsgi is"),
        ({"WSGI_INCLUDE": "/nowhere"}, "the WSGI module did not find wsgi.h in /nowhere"),
        ({"WSGI_LINK": "/nowhere/libwsgi.a"}, "cannot be linked with WSGI_LINK, which is\n/nowhere"),
        ({"WSGI_LINK": "-lm"}, "It must name libwsgi.a, libpython and the libraries that they use"),
        (
            {"WSGI_LINK": LINK.replace("-lpython", "-lno_python")},
            "It must name libwsgi.a, libpython and the libraries that they use",
        ),
        ({"CC": "cc -Deventfd=no_eventfd"}, "needs eventfd(), unshare() and getrandom()"),
        ({"CC": "cc -Dunshare=no_unshare"}, "needs eventfd(), unshare() and getrandom()"),
        ({"CC": "cc -Dgetrandom=no_getrandom"}, "needs eventfd(), unshare() and getrandom()"),
    ],
)
def test_what_is_missing_has_a_sentence(configure, variables, sentence):
    done = configure(**variables)
    assert done.returncode == 1, "configure ends"
    assert sentence in done.stdout, done.stdout + done.stderr
    assert "module ngx_http_wsgi_module" not in done.stdout, "before anything is built"
