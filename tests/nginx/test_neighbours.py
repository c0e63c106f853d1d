"""The modules of an application's folder, and modules that another application has taken."""

import pytest

pytestmark = [
    pytest.mark.not_inline("an import is the same on any thread"),
    pytest.mark.not_validated("the applications are not those of tests/apps"),
]

CONF = "location / { wsgi_app @PREFIX@/%s app; }"
TWO = """
    location /one { wsgi_app @PREFIX@/one/%s app; }
    location /two { wsgi_app @PREFIX@/two/%s app; }
"""
SHOWS = """
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [show().encode()]
"""


def test_a_link_finds_the_modules_of_both_folders(nginx):
    text = "import of_link, of_file\nshow = lambda: of_link.v + of_file.v\n" + SHOWS
    server = nginx.prepare(
        CONF % "links/app.py",
        files=[
            ("release/app.py", text),
            ("release/of_file.py", "v = 'file'\n"),
            ("links/of_link.py", "v = 'link '\n"),
        ],
    )
    (server.prefix / "links/app.py").symlink_to("../release/app.py")
    server.start()
    assert server.ask("/").body == b"link file", "the folder of the link, and of its target"


SPAWNS = """
import multiprocessing
import os

def work(number):
    return number + 1, os.getpid()

def show():
    answers = []
    for way in ("spawn", "forkserver"):
        with multiprocessing.get_context(way).Pool(1) as pool:
            number, pid = pool.apply(work, (41,))
            answers.append((way, number, pid != os.getpid()))
            if way == "spawn":
                answers.append(pool.apply(deeper, ()))
    return repr(answers)

def deeper():
    # multiprocessing forbids children of a pool's child, and this test needs one.
    multiprocessing.current_process()._config["daemon"] = False
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, (1,))[0]
""" + SHOWS
ANSWER = repr([("spawn", 42, True), 2, ("forkserver", 42, True)])


@pytest.mark.parametrize("name", ["own.py", "my.app.py", "site.py", "x.wsgi", "a-b c.py", "plain"])
def test_spawned_processes_find_the_file(nginx, name):
    conf = CONF % f"own/{name}"
    server = nginx.prepare(conf.replace(f"@PREFIX@/own/{name}", f'"@PREFIX@/own/{name}"'))
    server.write(f"own/{name}", SPAWNS)
    server.start()
    assert server.ask("/").text == ANSWER, "by its name, in a child and in a child of that child"
    assert not list((server.prefix / "own").glob("__pycache__/x.*")), "only an ordinary .pyc"


def test_spawned_processes_find_the_second_of_two_files(nginx):
    files = [("one/app.py", "show = lambda: 'one'\n" + SHOWS), ("two/app.py", SPAWNS)]
    server = nginx.prepare(TWO % ("app.py", "app.py"), files=files).start()
    assert server.ask("/one").text == "one"
    assert server.ask("/two").text == ANSWER, "not the first"


def neighbours(nginx, one, two, more=()):
    files = [("one/app.py", one + SHOWS), ("two/site2.py", two + SHOWS), *more]
    return nginx.prepare(TWO % ("app.py", "site2.py"), files=files).start()


IMPORTS = {
    "at its top": "import models\nshow = lambda: models.v\n",
    "from": "from models import v\nshow = lambda: v\n",
    "in a function": "def show():\n    import models\n    return models.v\n",
}
MODELS = [("one/models.py", "v = 'one'\n"), ("two/models.py", "v = 'two'\n")]


@pytest.mark.parametrize("text", IMPORTS.values(), ids=IMPORTS.keys())
def test_a_module_of_another_application_is_logged(nginx, text):
    server = neighbours(nginx, text, text, MODELS)
    assert server.ask("/one").text == "one", "the first has its own module"
    assert server.ask("/two").text == "one", "the second gets the module of the first"
    (line,) = server.wait_log("[error]", "WSGI0015", '"models"')
    prefix = server.prefix
    assert f"the application {prefix}/two/site2.py app gets" in line, "the application"
    assert f"from {prefix}/one/models.py" in line, "the module that it gets"
    assert f"not from {prefix}/two/models.py" in line, "the module that it does not get"


def test_a_package_of_another_application_is_logged(nginx):
    packages = [(f"{name}/tools/__init__.py", f"v = '{name}'\n") for name in ("one", "two")]
    text = "import tools\nshow = lambda: tools.v\n"
    server = neighbours(nginx, text, text, packages)
    assert server.wait_log("WSGI0015", '"tools"', "/one/tools/__init__.py"), "packages, too"


def test_modules_of_applications_that_are_modules(nginx):
    """Applications that are named as modules, in two folders of wsgi_python_path."""
    text = "import common\nshow = lambda: common.v\n" + SHOWS
    files = [
        ("one/shop/__init__.py", ""),
        ("one/shop/web.py", text),
        ("one/common.py", "v = 'one'\n"),
        ("one/unused.py", ""),
        ("two/blog.py", text),
        ("two/common.py", "v = 'two'\n"),
        ("two/unused.py", ""),
    ]
    server = nginx.prepare(
        "location /one { wsgi_app shop.web:app; } location /two { wsgi_app blog:app; }",
        http="wsgi_python_path @PREFIX@/one @PREFIX@/two;",
        files=files,
    ).start()
    assert server.ask("/two").text == "one", "the second gets the module of the first"
    (line,) = server.wait_log("[error]", "WSGI0015")
    assert 'blog:app gets "common" from' in line, "the log has a line"


def test_a_module_of_another_application_by_an_own_module(nginx):
    text = "import models\nshow = lambda: models.v\n"
    indirect = [("two/views.py", "import models\nv = models.v\n"), *MODELS]
    server = neighbours(nginx, text, "import views\nshow = lambda: views.v\n", indirect)
    assert server.ask("/two").text == "one"
    assert server.wait_log("WSGI0015", '"models"'), "the line names the application"


def test_an_import_that_fails_by_a_module_of_another_application(nginx):
    more = [("one/models.py", "v = 'one'\n"), ("two/models.py", "v, only_here = 'two', 1\n")]
    one, two = "import models\nshow = lambda: 'one'\n", "from models import only_here\n"
    server = neighbours(nginx, one, two, more)
    assert server.ask("/two").status == 503
    assert server.wait_log("WSGI0015", '"models"'), "the log has the reason"


def test_another_application_imported_as_a_module(nginx):
    """Both folders have an app.py: one is an application, the other is imported."""
    more = [("two/app.py", "v = 'two'\n")]
    server = neighbours(nginx, "v = 'one'\nshow = lambda: 'one'\n", IMPORTS["from"].replace(
        "models", "app"), more)
    assert server.ask("/two").text == "one"
    assert server.wait_log("WSGI0015", '"app"', "/one/app.py")


def test_modules_that_are_not_confused_are_not_logged(nginx):
    more = [
        *MODELS,
        ("one/wsgi.py", ""),
        ("two/wsgi.py", ""),
        ("two/app.py", "show = lambda: 'other'\n" + SHOWS),
        ("one/only_one.py", ""),
    ]
    del more[1]
    server = neighbours(nginx, IMPORTS["from"], "show = lambda: 'two'\n", more)
    assert [server.ask(path).text for path in ("/one", "/two")] == ["one", "two"]
    assert not server.log_lines("WSGI0015"), "no application imports these files"


DJANGO = {
    "setdefault": "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', '%s.settings')\n",
    "an assignment": "import os\nos.environ['DJANGO_SETTINGS_MODULE'] = '%s.settings'\n",
}
SHOW_SETTINGS = "show = lambda: os.environ['DJANGO_SETTINGS_MODULE']\n"


@pytest.mark.parametrize("text", DJANGO.values(), ids=DJANGO.keys())
def test_two_django_projects_with_one_setting_are_logged(nginx, text):
    one, two = [text % name + SHOW_SETTINGS for name in ("shop", "blog")]
    server = neighbours(nginx, one, two)
    assert server.ask("/two").status == 200
    (line,) = server.wait_log("[error]", "WSGI0016")
    assert "two/site2.py app wants DJANGO_SETTINGS_MODULE to be blog.settings" in line
    assert "one/app.py app has set it to shop.settings" in line, "the line names both"
    assert line.endswith("each Django project in a server of its own"), "the line has the remedy"


def test_one_django_project_twice_is_not_logged(nginx):
    text = DJANGO["setdefault"] % "shop" + SHOW_SETTINGS
    server = neighbours(nginx, text, text)
    assert server.ask("/two").text == "shop.settings"
    assert not server.log_lines("WSGI0016"), "both have the same setting"


def test_django_s_settings_of_the_administrator_are_not_logged(nginx):
    one, two = [DJANGO["setdefault"] % name + SHOW_SETTINGS for name in ("shop", "blog")]
    files = [("one/app.py", one + SHOWS), ("two/site2.py", two + SHOWS)]
    main = "env DJANGO_SETTINGS_MODULE=set.outside;"
    server = nginx.prepare(TWO % ("app.py", "site2.py"), files=files, main=main).start()
    assert server.ask("/two").text == "set.outside"
    assert not server.log_lines("WSGI0016"), "no application set the variable"


def test_a_relative_import_is_explained(nginx):
    server = nginx.prepare(
        CONF % "top/pkg/web.py",
        files=[
            ("top/pkg/web.py", "from . import settings\n" + SHOWS),
            ("top/pkg/__init__.py", ""),
            ("top/pkg/settings.py", ""),
        ],
    ).start()
    assert server.ask("/").status == 503
    line = server.wait_log("WSGI0002")[0]
    assert f"name it pkg.web:app and add {server.prefix}/top to python_path" in line
    assert server.wait_log("attempted relative import"), "the traceback follows"


def test_a_file_that_is_not_python_is_explained(nginx):
    server = nginx.prepare(CONF % "own.py", files=[("own.py", "")])
    (server.prefix / "own.py").write_bytes("x = 1\n".encode("utf-16-le"))
    server.start()
    assert server.ask("/").status == 503
    assert server.wait_log("WSGI0002", "not Python's source in UTF-8"), "the line has the reason"
