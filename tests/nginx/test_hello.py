"""The canonical application, with each form of a name in the configuration."""

import pytest

CONF = """
    location /file { wsgi_app @APPS@/hello.py hello_world; }
    location /module { wsgi_app hello:hello_world; }
    location /dotted { wsgi_app @APPS@/hello.py site.front.app; }
    location /module_dotted { wsgi_app hello:site.front.app; }
    location /factory { wsgi_app @APPS@/hello.py factory(); }
    location /module_factory { wsgi_app hello:factory(); }
"""


@pytest.fixture(scope="module")
def server(module_nginx):
    return module_nginx(CONF, http="wsgi_python_path @APPS@;")


@pytest.mark.parametrize("form", ["file", "module", "dotted", "module_dotted"])
def test_hello_world(server, form):
    response = server.ask(f"/{form}")
    assert response.body == b"Hello world!", "the canonical application answers"
    assert (response.status, response.reason) == (200, "OK"), "with its status"
    assert response.header("Content-Type") == "text/plain", "with its header"
    assert response.header("Content-Length") == "12", "one piece has a Content-Length"


@pytest.mark.parametrize("form", ["factory", "module_factory"])
def test_a_factory_is_called(server, form):
    assert server.ask(f"/{form}").body == b"made by a factory", "the application that it made"


def test_the_lines_of_the_readme_work(nginx):
    server = nginx("location / { wsgi_app @APPS@/hello.py hello_world; }")
    assert server.ask("/").body == b"Hello world!", "the root"
    assert server.ask("/any/path?and=query").body == b"Hello world!", "any path below it"


def test_a_relative_file_is_found_from_the_prefix(nginx):
    server = nginx.prepare("location / { wsgi_app own.py app; }")
    server.write("own.py", "from hello import hello_world as app\n")
    server.write("hello.py", "def hello_world(e, s):\n    s('200 OK', [])\n    return [b'near']\n")
    server.start()
    assert server.ask("/").body == b"near", "with its neighbour in the same folder"
