"""Importing the application: slow, failing, and mended."""

import signal

import pytest

from server import wait_for

pytestmark = pytest.mark.not_validated("the responses are not the subject")

CONF = """
    location /app { wsgi_app @PREFIX@/own.py app; }
    location /other { wsgi_app @APPS@/hello.py hello_world; }
    location /static { return 200 "static"; }
"""
GOOD = """
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"mended"]
"""
SLOW = """
open({gate!r}, "rb").read()
""" + GOOD

BROKEN = [
    ("def app(:\n", "SyntaxError", "a syntax error"),
    ("import no_such_module\n", "ModuleNotFoundError", "an import that fails"),
    ("App = None\n", "app", "a missing attribute"),
    ("app = 'text'\n", "cannot be called", "an attribute that cannot be called"),
    ("raise ValueError('at import')\n", "ValueError: at import", "an exception"),
    ("import sys; sys.exit(3)\n", "SystemExit: 3", "sys.exit()"),
    ("raise KeyboardInterrupt('at import')\n", "KeyboardInterrupt", "KeyboardInterrupt"),
    ("\0", "null bytes", "no text"),
    ("raise ValueError('\u20ac')\n", "ValueError: \u20ac", "words beyond ASCII"),
]


@pytest.mark.parametrize("text, words", [b[:2] for b in BROKEN], ids=[b[2] for b in BROKEN])
def test_failed_import(nginx, text, words):
    server = nginx.prepare(CONF, files=[("own.py", text)]).start()
    response = server.ask("/app")
    assert response.status == 503, "the application is not available"
    assert int(response.header("Retry-After")) >= 1, "and says when to come again"
    assert server.wait_log(words), "the log says why"
    assert server.wait_log("WSGI0"), "with a number"
    assert server.ask("/static").body == b"static", "static files are served"
    assert server.ask("/other").body == b"Hello world!", "and other applications"


def test_whole_traceback(nginx):
    text = "def inner():\n    raise ValueError('deep')\n\ninner()\n"
    server = nginx.prepare(CONF, files=[("own.py", text)]).start()
    server.ask("/app")
    server.wait_log("ValueError: deep")
    for words in ("Traceback (most recent call last)", 'own.py", line 4', 'own.py", line 2'):
        assert server.log_lines(words), f"the traceback holds {words}"


def test_mended_file_works_after_the_pause(nginx):
    server = nginx.prepare(CONF, files=[("own.py", "raise ValueError('broken')\n")]).start()
    assert server.ask("/app").status == 503, "it is broken"
    server.write("own.py", GOOD)
    wait_for(lambda: server.ask("/app").body == b"mended", "the import to be tried again")
    assert len(server.log_lines("ValueError: broken")) <= 2, "requests within the pause do not try"


def test_failed_imports_do_not_use_up_the_worker(nginx):
    server = nginx.prepare(CONF, files=[("own.py", "raise ValueError('broken')\n")]).start()
    statuses = {server.ask("/app").status for _ in range(200)}
    assert statuses == {503}, "each gets the same answer"
    assert len(server.log_lines("ValueError: broken")) <= 3, "but not each an import"


def test_static_files_during_a_slow_import(nginx, gate):
    stop = gate()
    slow = SLOW.format(gate=str(stop.path))
    server = nginx.prepare(CONF, files=[("own.py", slow)]).start()
    with server.connect() as first, server.connect() as second:
        first.send_request("/app")
        second.send_request("/app")
        stop.wait()
        for _ in range(20):
            assert server.ask("/static").body == b"static", "nginx goes on meanwhile"
        stop.shut()
        assert first.read_response().body == b"mended", "who came meanwhile is answered"
        assert second.read_response().body == b"mended", "everyone"


def test_module_is_imported_once(nginx):
    text = "print('imported here')\n" + GOOD
    server = nginx.prepare(CONF, files=[("own.py", text)]).start()
    for _ in range(5):
        assert server.ask("/app").body == b"mended", "it answers"
    assert len(server.log_lines("imported here")) == 1, "and was imported once"


def test_module_name_and_siblings(nginx):
    text = """
        import sys, pickle
        import beside
        class Thing: pass
        def app(environ, start_response):
            start_response("200 OK", [("Content-Type", "text/plain")])
            again = pickle.loads(pickle.dumps(Thing()))
            name = sys.modules[__name__].__file__
            return [repr((beside.value, __name__, type(again) is Thing, name)).encode()]
    """.replace("\n        ", "\n")
    server = nginx.prepare(CONF, files=[("own.py", text), ("beside.py", "value = 7\n")]).start()
    shown = eval(server.ask("/app").body)
    assert shown[0] == 7, "a file beside it can be imported"
    assert shown[1] == "own", "the module's name is the file's"
    assert shown[2], "so pickle finds its classes"
    assert shown[3].endswith("/own.py"), "and __file__ is set"


def test_file_does_not_hide_the_standard_library(nginx):
    conf = "location / { wsgi_app @PREFIX@/json.py app; }"
    server = nginx.prepare(
        conf + "location /environ { wsgi_app @APPS@/environ.py app; }", files=[("json.py", GOOD)]
    ).start()
    assert server.ask("/").body == b"mended", "a file may be called json.py"
    assert server.ask("/environ").status == 200, "and who imports json gets the library's"


def test_two_files_of_one_name(nginx):
    conf = """
        location /a { wsgi_app @PREFIX@/a/site.py app; }
        location /b { wsgi_app @PREFIX@/b/site.py app; }
    """
    files = [(f"{name}/site.py", GOOD.replace("mended", name)) for name in ("a", "b")]
    server = nginx.prepare(conf, files=files).start()
    assert server.ask("/a").body == b"a", "each location has its own file"
    assert server.ask("/b").body == b"b", "though the names are the same"


def test_handlers_are_refused_at_import(nginx):
    text = "import signal\nsignal.signal(signal.SIGTERM, lambda *a: print('handled'))\n" + GOOD
    server = nginx.prepare(CONF, files=[("own.py", text)]).start()
    assert server.ask("/app").body == b"mended", "the application runs"
    assert server.wait_log("signal"), "the log says that signals are nginx's"
    assert server.stop(signal.SIGTERM) == 0, "SIGTERM ends it"
    assert not server.log_lines("handled"), "and they still are"


def test_python_path(nginx):
    server = nginx.prepare(
        "location / { wsgi_app shop.web:app; }",
        http="wsgi_python_path @PREFIX@/one @PREFIX@/two;",
        files=[("two/shop/__init__.py", ""), ("two/shop/web.py", GOOD), ("one/else.py", "")],
    ).start()
    assert server.ask("/").body == b"mended", "a package in one of the folders"


def test_path_files_are_honoured(nginx):
    server = nginx.prepare(
        "location / { wsgi_app beyond:app; }",
        http="wsgi_python_path @PREFIX@/one;",
        files=[("one/more.pth", "../three\n"), ("three/beyond.py", GOOD)],
    ).start()
    assert server.ask("/").body == b"mended", "a .pth file leads to it"
