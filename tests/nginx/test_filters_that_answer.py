"""A filter of another module answers instead of the application, and the client gets only that."""

import os
import subprocess
from pathlib import Path

import pytest

from h2client import H2Connection
from server import ROOT, wait_for

pytestmark = pytest.mark.not_validated("a filter answers, not the application")

TREE = Path(os.environ.get("NGINX_TREE", ROOT / "build" / "nginx-src"))
SOURCE = Path(__file__).parent / "filters" / "ngx_http_finalize_filter_module.c"
CONF = """
    location / { wsgi_app @APPS@/large.py app; }
    location /header/ { finalize header; wsgi_app @APPS@/large.py app; wsgi_script_name /header; }
    location /body/ { finalize body; wsgi_app @APPS@/large.py app; wsgi_script_name /body; }
    location /slow/ { finalize body; limit_rate 200;
                      wsgi_app @APPS@/large.py app; wsgi_script_name /slow; }
"""
PATHS = ["/list", "/generator", "/slower?100000", "/written"]


def flags():
    """What nginx's own makefile compiles modules with."""
    lines = iter((TREE / "objs" / "Makefile").read_text().splitlines())
    found = {}
    for line in lines:
        name, equals, value = line.partition("=")
        while value.endswith("\\"):
            value = value[:-1] + next(lines)
        if equals and not line.startswith("\t"):
            found[name.strip()] = value
    return [*found["CFLAGS"].split(), *found["ALL_INCS"].split()]


@pytest.fixture(scope="module")
def filter_module(tmp_path_factory):
    module = tmp_path_factory.mktemp("filter") / "ngx_http_finalize_filter_module.so"
    # AddressSanitizer confuses nginx's three symbols with those of nginx itself, unless they are
    # hidden, as those of the WSGI module are.
    exports = f"-Wl,--version-script={ROOT}/ngx_module/exports"
    command = ["cc", "-shared", "-fPIC", *flags(), exports, "-o", str(module), str(SOURCE)]
    subprocess.run(command, cwd=TREE, check=True)
    return module


@pytest.fixture
def server(nginx, filter_module):
    prepared = nginx.prepare(CONF, http="wsgi_threads 1; send_timeout 2s;")
    prepared.write_configuration(MAIN=f"load_module {filter_module};")
    server = prepared.start()
    wait_for(lambda: server.ask("/made").status == 200, "the import")
    return server


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("where", ["header", "body", "slow"])
def test_a_filter_answers_over_http_1(server, where, path):
    (worker,) = server.workers()
    with server.connect() as connection:
        connection.send_request(f"/{where}{path}")
        connection.send_request("/made")
        data = connection.read_to_end()
    assert data.startswith(b"HTTP/1.1 403 "), data[:100]
    _, _, rest = data.partition(b"</html>\r\n")
    assert rest == b"" or rest.startswith(b"HTTP/1.1 200 "), "no byte of the application"
    assert server.ask("/made").status == 200, "the only thread must be free"
    assert server.workers() == [worker]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("window", [0, 65535])
@pytest.mark.parametrize("where", ["header", "body"])
def test_a_filter_answers_over_http_2(server, where, window, path):
    (worker,) = server.workers()
    with H2Connection(server.h2_port, window=window) as connection:
        stream = connection.send(f"/{where}{path}")
        connection.wait(stream, lambda got: got.status or connection.is_over(stream))
        connection.open_window(stream, 65535)
        connection.wait(stream, lambda _: connection.is_over(stream))
        body = connection.streams[stream].body
        assert not body or b"403 Forbidden" in body, "no byte of the application"
    assert server.ask("/made").status == 200, "the only thread must be free"
    assert server.workers() == [worker]
