"""Ways of a request to an application: try_files, error_page, rewrite, if, named locations."""

import json

import pytest

pytestmark = pytest.mark.not_validated("the validator refuses what the applications answer")


ECHO = "wsgi_app @APPS@/pages.py app"
SHOWN = "wsgi_app @APPS@/environ.py app"
CONF = """
    location / { try_files $uri @app; }
    location @app { @SHOWN@; }
    location /tried/ { try_files $uri @echo; }
    location /tried_prefix/ { try_files $uri $uri/ /tried_to/index?$args; }
    location /tried_to/ { @SHOWN@; wsgi_script_name /tried_to; }
    location /fallback/ { error_page 404 405 = @echo; }
    location /fallback_get/ { error_page 404 405 = /echo; }
    location @echo { rewrite ^ /echo break; @ECHO@; }
    location /echo { @ECHO@; }
    location /shown { @SHOWN@; }

    location /last/ { rewrite ^/last/(.*)$ /shown/$1?added=$1 last; }
    location /only/ { rewrite ^/only/(.*)$ /shown/$1? last; }
    location /break/ { rewrite ^/break/(.*)$ /under/$1 break; @SHOWN@; wsgi_script_name /under; }
    location ~ ^/regex/(?<first>[a-z]+)/(.*)$ { @SHOWN@; wsgi_param app.first "$first $2"; }
    location /rewrite_named/ { error_page 418 = @shown; return 418; }
    location @shown { rewrite ^/rewrite_named(.*)$ /named$1 break; @SHOWN@; }

    location /if/ {
        wsgi_param app.from outer;
        if ($arg_other) { wsgi_app @APPS@/hello.py hello_world; }
        if ($request_method = PUT) { add_header X-If yes; }
        if ($arg_return) { return 202 "without Python"; }
        @SHOWN@;
    }
    location /if_only/ { if ($arg_yes) { @SHOWN@; } }
    location /if_script/ { if ($arg_yes) { set $a b; } @SHOWN@; wsgi_script_name /if_script; }
    location /if_own {
        if ($arg_v = 1) { @SHOWN@; wsgi_script_name /if_own/v1; wsgi_param app.from "if"; }
        @SHOWN@; wsgi_script_name /if_own; wsgi_param app.from location;
    }
    location /slashes { alias @PREFIX@/html/slashes; }
    location /errors/ {
        wsgi_app @APPS@/pages.py app; wsgi_script_name /errors;
        error_page 500 503 504 /page/$status.html;
        location /errors/static/ {
            wsgi_app @APPS@/pages.py app; wsgi_script_name /errors/static;
            error_page 500 /static_error.html;
        }
        location /errors/shown/ {
            wsgi_app @APPS@/pages.py app; wsgi_script_name /errors/shown; error_page 500 /shown/500;
        }
        location /errors/named/ {
            wsgi_app @APPS@/pages.py app; wsgi_script_name /errors/named; error_page 500 @echo;
        }
        location /errors/fine/ {
            wsgi_app @APPS@/pages.py app; wsgi_script_name /errors/fine;
            error_page 500 =200 /shown/500;
        }
        location /errors/again/ {
            wsgi_app @APPS@/pages.py app; wsgi_script_name /errors/again;
            error_page 500 /errors/static/raise;
        }
        location /errors/late/ {
            wsgi_app @APPS@/wait.py app; wsgi_script_name /errors/late;
            wsgi_read_timeout 100ms; error_page 504 =504 @echo;
        }
        location /errors/broken/ { wsgi_app @PREFIX@/broken.py app; error_page 503 /shown/503; }
    }
    location = /static_error.html { internal; }
    error_page 400 414 494 /shown/bad;
    error_page 413 /echo;
""".replace("@ECHO@", ECHO).replace("@SHOWN@", SHOWN)

HTTP = """
    server {
        listen 127.0.0.1:@OTHER_PORT@; merge_slashes off;
        location / { wsgi_app @APPS@/environ.py app; }
        location /shop { wsgi_app @APPS@/environ.py app; wsgi_script_name /shop; }
    }
"""


@pytest.fixture(scope="module")
def server(module_nginx):
    files = [
        ("html/file.txt", "a file"),
        ("html/tried/file.txt", "a file"),
        ("html/fallback/file.txt", "a file"),
        ("html/static_error.html", "we are sorry"),
        ("broken.py", "raise ImportError('no such thing')\n"),
    ]
    return module_nginx.prepare(CONF, http=HTTP, files=files).start()


def shown(server, path, method="GET", **how):
    response = server.ask(path, method, **how)
    assert response.status == 200, response.text
    return {key: value for key, (_, value) in json.loads(response.body).items()}


def paths(environ):
    return [environ[key] for key in ("SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "REQUEST_URI")]


def test_try_files_leads_to_a_file_or_an_application(server):
    assert server.ask("/file.txt").body == b"a file", "the file, if it exists"
    environ = shown(server, "/a%20b?c=d")
    assert paths(environ) == ["", "/a b", "c=d", "/a%20b?c=d"], "else the application"
    environ = shown(server, "/tried_prefix/x?c=d")
    assert paths(environ) == ["/tried_to", "/index", "c=d", "/tried_prefix/x?c=d"], "or elsewhere"


@pytest.mark.parametrize("path", ["/tried/x", "/fallback/x"])
@pytest.mark.parametrize("size", [9, 900_000])
def test_a_fallback_to_a_named_location_keeps_method_and_body(server, path, size):
    body = b"a message" * (size // 9)
    for method in ("POST", "PUT", "DELETE"):
        response = server.ask(path, method, body=body)
        assert response.body == b"%s %d %s" % (method.encode(), size, body), "method and body stay"
    assert server.ask(path).body == b"GET None ", "without a body the application gets none"
    assert server.ask(path, "HEAD").body == b""
    response = server.ask(f"{path}/../file.txt")
    assert response.body == b"a file", "a file that exists needs no fallback"


def test_a_post_to_a_file_falls_back_to_an_application(server):
    response = server.ask("/fallback/file.txt", "POST", body=b"body")
    assert response.body == b"POST 4 body", "405 also falls back"


def test_a_fallback_to_a_path_is_a_get_with_the_body(server):
    response = server.ask("/fallback_get/x", "POST", body=b"body")
    assert (response.status, response.body[:4]) == (200, b"GET "), "nginx makes it a GET"
    assert response.body == b"GET 4 body", "but the body stays"


def test_rewrite_sets_the_path(server):
    environ = shown(server, "/last/a%2Fb?c=d")
    assert paths(environ) == ["", "/shown/a/b", "added=a/b&c=d", "/last/a%2Fb?c=d"]
    assert paths(shown(server, "/only/a?c=d")) == ["", "/shown/a", "", "/only/a?c=d"]
    assert paths(shown(server, "/break/a?c=d")) == ["/under", "/a", "c=d", "/break/a?c=d"]
    assert shown(server, "/regex/word/rest%20of")["app.first"] == "word rest of", "captures"
    environ = shown(server, "/rewrite_named/a?c=d", "POST", body=b"body")
    assert paths(environ) == ["", "/named/a", "c=d", "/rewrite_named/a?c=d"], "in a named location"
    assert (environ["REQUEST_METHOD"], environ["CONTENT_LENGTH"]) == ("POST", "4")


def test_if_can_choose_an_application(server):
    assert server.ask("/if/?other=1").body == b"Hello world!", "another application"
    assert shown(server, "/if/")["app.from"] == "outer", "the location's application"
    response = server.ask("/if/", "PUT", body=b"body")
    environ = json.loads(response.body)
    assert response.header("X-If") == "yes", "an if block without an application"
    assert environ["app.from"][1] == "outer" and environ["CONTENT_LENGTH"][1] == "4", "keeps it"
    assert server.ask("/if/?return=1").body == b"without Python"
    assert paths(shown(server, "/if_only/?yes=1"))[1] == "/if_only/", "an application in if only"
    assert server.ask("/if_only/").status == 404
    for query in ("", "?yes=1"):
        assert paths(shown(server, f"/if_script/x{query}"))[:2] == ["/if_script", "/x"]
    for query, prefix, told in [("", "/if_own", "location"), ("?v=1", "/if_own/v1", "if")]:
        environ = shown(server, f"/if_own/v1/x{query}")
        assert environ["SCRIPT_NAME"] == prefix, "an if block can have its own prefix"
        assert environ["app.from"] == told, "an if block can have its own params"


def test_merge_slashes_holds_for_path_info(server):
    assert paths(shown(server, "/shown//a///b"))[1] == "/shown/a/b", "one slash by default"
    for path in ("//", "//a//b/", "/a/%2F/b", "/shop//x//"):
        environ = shown(server, path, port=server.other_port)
        whole = environ["SCRIPT_NAME"] + environ["PATH_INFO"]
        assert whole == path.replace("%2F", "/"), "with merge_slashes off all stay"
        assert environ["REQUEST_URI"] == path
    assert environ["SCRIPT_NAME"] == "/shop", "also behind a prefix"


def test_error_pages_for_500(server):
    response = server.ask("/errors/static/raise")
    assert (response.status, response.body) == (500, b"we are sorry"), "a file"
    response = server.ask("/errors/shown/raise?a=b", "POST", body=b"body")
    assert response.status == 500, "an application: the status stays"
    environ = {key: value for key, (_, value) in json.loads(response.body).items()}
    assert environ["REQUEST_METHOD"] == "GET" and environ["PATH_INFO"] == "/shown/500"
    assert environ["REQUEST_URI"] == "/errors/shown/raise?a=b"
    response = server.ask("/errors/named/raise", "POST", body=b"body")
    assert (response.status, response.body) == (500, b"POST 4 body"), "a named location"
    assert server.ask("/errors/fine/raise").status == 200, "=200"
    response = server.ask("/errors/again/raise")
    assert response.status == 500 and b"nginx" in response.body, "an error page that also fails"
    for path in ("static", "shown", "named", "again"):
        with server.connect() as connection:
            assert connection.ask(f"/errors/{path}/raise", "HEAD").status == 500
            assert connection.read_to_end() == b"", "no body"


@pytest.mark.not_inline("it waits")
def test_error_pages_for_503_and_504(server, gate):
    stop = gate()
    response = server.ask(f"/errors/late/block?{stop.query}", "POST", body=b"body")
    assert (response.status, response.body) == (504, b"POST 4 body"), "504, by an application"
    stop.open()
    response = server.ask("/errors/broken/x")
    assert response.status == 503 and b'"/shown/503"' in response.body, "503, by another one"
    assert response.header("Retry-After"), "the client may try again"


def test_an_error_page_for_an_invalid_request_has_environ(server):
    for sent in (b"GET / HTTP/1.1\r\n\r\n", b"nonsense\r\n\r\n", b"GET /%00 HTTP/1.1\r\n\r\n"):
        with server.connect() as connection:
            connection.send(sent)
            response = connection.read_response()
        environ = {key: value for key, (_, value) in json.loads(response.body).items()}
        assert response.status == 400 and environ["PATH_INFO"] == "/shown/bad", sent
        assert environ["REQUEST_METHOD"] == "GET" and environ["SERVER_NAME"], "the required keys"
        assert environ["SERVER_PROTOCOL"] in ("HTTP/1.0", "HTTP/1.1"), "is there"
    with server.connect() as connection:
        response = connection.ask("/" + "x" * 9000)
        assert response.status == 414 and b'"/shown/bad"' in response.body, "a long target"
    with server.connect() as connection:
        response = connection.ask("/shown", headers=[("X-Long", "x" * 9000)])
        assert response.status == 400 and b'"/shown/bad"' in response.body, "a long field"


def test_error_page_for_413(server):
    body = b"x" * (2 << 20)
    with server.connect() as connection:
        response = connection.ask("/shown", "POST", headers=[("Content-Length", str(len(body)))])
        assert response.status == 413, "too much"
        assert response.body == b"GET 0 ", "the application must not get a part of the body"
