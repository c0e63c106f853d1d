"""The import of an application: slow, failing, and corrected."""

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
def test_a_failed_import_is_a_503(nginx, text, words):
    server = nginx.prepare(CONF, files=[("own.py", text)]).start()
    response = server.ask("/app")
    assert response.status == 503, "the application is not available"
    assert int(response.header("Retry-After")) >= 1, "the client may try again"
    assert server.wait_log(words), "the log has the reason"
    assert server.wait_log("WSGI0"), "with a number"
    assert server.ask("/static").body == b"static", "nginx serves static files"
    assert server.ask("/other").body == b"Hello world!", "other applications run"


def test_the_log_has_the_whole_traceback(nginx):
    text = "def inner():\n    raise ValueError('deep')\n\ninner()\n"
    server = nginx.prepare(CONF, files=[("own.py", text)]).start()
    server.ask("/app")
    server.wait_log("ValueError: deep")
    for words in ("Traceback (most recent call last)", 'own.py", line 4', 'own.py", line 2'):
        assert server.log_lines(words), f"the traceback has {words}"


def test_a_corrected_file_works_after_the_pause(nginx):
    server = nginx.prepare(CONF, files=[("own.py", "raise ValueError('broken')\n")]).start()
    assert server.ask("/app").status == 503, "the file has an error"
    server.write("own.py", GOOD)
    wait_for(lambda: server.ask("/app").body == b"mended", "another import")
    assert len(server.log_lines("ValueError: broken")) <= 2, "no import during the pause"


def test_failed_imports_do_not_use_up_the_worker(nginx):
    server = nginx.prepare(CONF, files=[("own.py", "raise ValueError('broken')\n")]).start()
    statuses = {server.ask("/app").status for _ in range(200)}
    assert statuses == {503}, "each request gets the same answer"
    assert len(server.log_lines("ValueError: broken")) <= 3, "not every request starts an import"


def test_static_files_are_served_during_a_slow_import(nginx, gate):
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
        assert first.read_response().body == b"mended", "requests that waited are answered"
        assert second.read_response().body == b"mended", "everyone"


def test_a_module_is_imported_once(nginx):
    text = "print('imported here')\n" + GOOD
    server = nginx.prepare(CONF, files=[("own.py", text)]).start()
    for _ in range(5):
        assert server.ask("/app").body == b"mended", "it answers"
    assert len(server.log_lines("imported here")) == 1, "for all threads"


def test_a_file_has_a_module_name_and_finds_its_neighbours(nginx):
    text = """
        import sys, pickle
        import neighbour
        class Thing: pass
        def app(environ, start_response):
            start_response("200 OK", [("Content-Type", "text/plain")])
            again = pickle.loads(pickle.dumps(Thing()))
            name = sys.modules[__name__].__file__
            return [repr((neighbour.value, __name__, type(again) is Thing, name)).encode()]
    """.replace("\n        ", "\n")
    server = nginx.prepare(CONF, files=[("own.py", text), ("neighbour.py", "value = 7\n")]).start()
    shown = eval(server.ask("/app").body)
    assert shown[0] == 7, "it can import a file of its folder"
    assert shown[1] == "own", "the module's name is that of the file"
    assert shown[2], "pickle finds its classes"
    assert shown[3].endswith("/own.py"), "__file__ is set"


def test_a_file_does_not_hide_the_standard_library(nginx):
    conf = "location / { wsgi_app @PREFIX@/json.py app; }"
    server = nginx.prepare(
        conf + "location /environ { wsgi_app @APPS@/environ.py app; }", files=[("json.py", GOOD)]
    ).start()
    assert server.ask("/").body == b"mended", "a file may have the name json.py"
    assert server.ask("/environ").status == 200, "import json gets that of the library"


def test_two_files_may_have_one_name(nginx):
    conf = """
        location /a { wsgi_app @PREFIX@/a/site.py app; }
        location /b { wsgi_app @PREFIX@/b/site.py app; }
    """
    files = [(f"{name}/site.py", GOOD.replace("mended", name)) for name in ("a", "b")]
    server = nginx.prepare(conf, files=files).start()
    assert server.ask("/a").body == b"a", "each location has its own file"
    assert server.ask("/b").body == b"b", "although the names are the same"


def test_signal_handlers_are_refused_at_import(nginx):
    text = "import signal\nsignal.signal(signal.SIGTERM, lambda *a: print('handled'))\n" + GOOD
    server = nginx.prepare(CONF, files=[("own.py", text)]).start()
    assert server.ask("/app").body == b"mended", "the application runs"
    assert server.wait_log("signal"), "the log has a line about it"
    assert server.stop(signal.SIGTERM) == 0, "SIGTERM ends nginx"
    assert not server.log_lines("handled"), "the handler must not run"


def test_python_path_has_several_folders(nginx):
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
    assert server.ask("/").body == b"mended", "a .pth file names the folder"
