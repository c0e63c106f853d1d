"""environ: the keys of CGI and of wsgi.*, their types, and keys that a client must not set."""

import base64
import json
import re
import socket
import wsgiref.util

import pytest

CONF = """
    location / { wsgi_app @APPS@/environ.py app; }
    location /params {
        wsgi_app @APPS@/environ.py app;
        wsgi_param PLAIN value;
        wsgi_param VARIABLE "$request_method of $arg_who";
        wsgi_param ARG_IF $arg_who if_not_empty;
        wsgi_param ARG_ALWAYS $arg_who;
        wsgi_param SERVER_NAME chosen;
        wsgi_param HTTP_X_FORGED trusted;
        wsgi_param wsgi.url_scheme https;
    }
    location /shop { wsgi_app @APPS@/environ.py app; wsgi_script_name /shop; }
    location /slash/ { wsgi_app @APPS@/environ.py app; wsgi_script_name /slash/; }
    location /root { wsgi_app @APPS@/environ.py app; wsgi_script_name /; }
    location /secret {
        auth_basic "members"; auth_basic_user_file @PREFIX@/users;
        wsgi_app @APPS@/environ.py app;
        location /secret/off { auth_basic off; wsgi_app @APPS@/environ.py app; }
        location /secret/any { satisfy any; allow all; wsgi_app @APPS@/environ.py app; }
    }
    location /rewritten { rewrite ^ /to/here last; }
"""


@pytest.fixture(scope="module")
def server(module_nginx):
    prepared = module_nginx.prepare(CONF, files=[("users", "anna:{PLAIN}secret\n")])
    return prepared.start()


def shown(server, path="/", **how):
    """environ as the application saw it, without the types."""
    response = server.ask(path, **how)
    assert response.status == 200, response.text
    return {key: value for key, (_, value) in json.loads(response.body).items()}


def test_environ_has_the_keys_of_cgi(server):
    with server.connect() as connection:
        local = connection.socket.getsockname()
        response = connection.ask("/a/b?c=d&e", headers=[("X-Some", "thing")])
    environ = {key: value for key, (_, value) in json.loads(response.body).items()}
    expected = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/a/b",
        "QUERY_STRING": "c=d&e",
        "REQUEST_URI": "/a/b?c=d&e",
        "RAW_URI": "/a/b?c=d&e",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": str(server.port),
        "SERVER_ADDR": "127.0.0.1",
        "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_PORT": str(local[1]),
        "REQUEST_SCHEME": "http",
        "DOCUMENT_ROOT": f"{server.prefix}/html",
        "HTTP_HOST": "localhost",
        "HTTP_X_SOME": "thing",
    }
    assert {key: environ.get(key) for key in expected} == expected, "all keys must be there"
    assert re.search("nginx|libwsgi", environ["SERVER_SOFTWARE"]), "the name of the server"
    assert re.fullmatch("[0-9a-f]{32}", environ["REQUEST_ID"]), "REQUEST_ID is nginx's"


@pytest.mark.not_inline("wsgi.multithread is False there")
def test_environ_has_the_keys_of_wsgi(server):
    environ = shown(server)
    assert environ["wsgi.version"] == "(1, 0)", "this is WSGI 1.0"
    assert environ["wsgi.url_scheme"] == "http", "the scheme of the connection"
    assert environ["wsgi.multithread"] == "True", "eight threads share the process"
    assert environ["wsgi.multiprocess"] == "False", "one worker is alone"
    assert environ["wsgi.run_once"] == "False", "the process answers many requests"
    assert environ["wsgi.input_terminated"] == "True", "reading to the end is safe"
    for key in ("wsgi.input", "wsgi.errors", "wsgi.file_wrapper"):
        assert key in environ, f"{key} must be there"


def test_multiprocess_is_true_with_two_workers(nginx):
    server = nginx("location / { wsgi_app @APPS@/environ.py app; }", workers=2)
    assert shown(server)["wsgi.multiprocess"] == "True", "the other worker runs the same code"


def test_multithread_is_false_with_one_thread(nginx):
    server = nginx("location / { wsgi_app @APPS@/environ.py app; }", http="wsgi_threads 1;")
    assert shown(server)["wsgi.multithread"] == "False", "no other thread runs applications"


def test_keys_have_the_types_of_pep_3333(server):
    types = {key: kind for key, (kind, _) in json.loads(server.ask("/").body).items()}
    assert types[""] == "dict", "environ is a builtin dict"
    strings = [key for key in types if key and key != "leaked" and "wsgi." not in key]
    assert all(types[key] == "str" for key in strings), "CGI keys are native strings"
    assert types["libwsgi.client_disconnected"] == "ClientDisconnected", "the key of the library"
    assert types["wsgi.version"] == "tuple", "wsgi.version is a tuple"
    for key in ("multithread", "multiprocess", "run_once", "input_terminated"):
        assert types[f"wsgi.{key}"] == "bool", f"wsgi.{key} is a bool"


def test_each_request_has_its_own_environ(server):
    shown(server)
    environ = shown(server)
    assert "left by a request" not in environ, "keys of an earlier request must be gone"


def test_environ_has_no_variable_of_os_environ(server):
    environ = shown(server)
    assert environ["leaked"] == [], "no variable of the process is a key"
    assert "PATH" not in environ and "HOME" not in environ, "not even those of the test"


def test_a_key_without_a_value_is_absent_or_empty(server):
    environ = shown(server)
    nothing = "CONTENT_TYPE CONTENT_LENGTH HTTPS SSL_PROTOCOL REMOTE_USER AUTH_TYPE"
    for key in nothing.split():
        assert environ.get(key, "") == "", f"{key} must be absent or empty"
    assert "HTTP_CONTENT_LENGTH" not in environ, "HTTP_CONTENT_LENGTH is not a key of CGI"


def test_a_body_has_content_length_and_content_type(server):
    environ = shown(
        server, method="POST", body=b"12345", headers=[("Content-Type", "text/plain; x=y")]
    )
    assert environ["CONTENT_LENGTH"] == "5", "the length has its own key"
    assert environ["CONTENT_TYPE"] == "text/plain; x=y", "the type has its own key"
    assert "HTTP_CONTENT_TYPE" not in environ, "there must be no second key"


def test_repeated_fields_are_joined(server):
    twos = [("X-Two", "a"), ("X-Two", "b"), ("X-Two", "a")]
    environ = shown(server, headers=[*twos, ("Cookie", "k=1"), ("Cookie", "l=2")])
    assert environ["HTTP_X_TWO"] == "a, b, a", "with a comma"
    assert environ["HTTP_COOKIE"] == "k=1; l=2", "cookies with a semicolon"
    many = [(name, str(number)) for number in range(40) for name in ("X-Many", "Cookie")]
    environ = shown(server, headers=many)
    assert environ["HTTP_X_MANY"] == ", ".join(map(str, range(40))), "also many fields"
    assert environ["HTTP_COOKIE"] == "; ".join(map(str, range(40)))


FORGED = [
    ("X_Real_User", "evil"),
    ("Proxy", "http://evil"),
    ("P_roxy", "fine"),
    ("Content_Length", "7"),
    ("Content_Type", "evil/evil"),
    ("content_type", "evil/evil"),
    ("Transfer_Encoding", "evil"),
    ("Only_Under", "one"),
    ("Remote-User", "evil"),
]


@pytest.mark.parametrize("directive", ["underscores_in_headers on", "ignore_invalid_headers off"])
@pytest.mark.parametrize("last", [False, True], ids=["underscores first", "underscores last"])
def test_names_with_underscores_cannot_forge_a_key(nginx, directive, last):
    server = nginx(f"{directive}; location / {{ wsgi_app @APPS@/environ.py app; }}")
    good = [("X-Real-User", "good")]
    for _ in range(2):
        environ = shown(server, headers=good + FORGED if last else FORGED + good)
        assert environ["HTTP_X_REAL_USER"] == "good", "an underscore must not pass for a hyphen"
        assert environ["HTTP_ONLY_UNDER"] == "one", "the administrator allows such names"
        assert environ["HTTP_P_ROXY"] == "fine"
        assert "HTTP_PROXY" not in environ, "Proxy must be dropped: no httpoxy"
        assert "REMOTE_USER" not in environ, "a client must not set its user"
        assert "CONTENT_TYPE" not in environ and "CONTENT_LENGTH" not in environ
        for key in ("CONTENT_TYPE", "CONTENT_LENGTH", "TRANSFER_ENCODING"):
            assert f"HTTP_{key}" not in environ, "nor headers that frameworks trust"


def test_equal_names_with_underscores_are_joined(nginx):
    server = nginx("underscores_in_headers on; location / { wsgi_app @APPS@/environ.py app; }")
    for second in ("A_B-C", "a_b_c"):
        environ = shown(server, headers=[("A_B_C", "one"), ("X-Y", "z"), (second, "two")])
        assert environ["HTTP_A_B_C"] == "one, two", "none of them has the name with hyphens"


def test_names_with_underscores_are_dropped_by_default(server):
    environ = shown(server, headers=FORGED)
    assert "HTTP_X_REAL_USER" not in environ and "HTTP_ONLY_UNDER" not in environ, "by default"


def test_invalid_names_are_kept_if_nginx_allows_them(nginx):
    server = nginx("ignore_invalid_headers off; location / { wsgi_app @APPS@/environ.py app; }")
    odd = [("X.Real.User", "a"), ("x!User", "b"), ("X'", "c"), ("X-Good", "good")]
    environ = shown(server, headers=odd)
    assert environ["HTTP_X_GOOD"] == "good", "letters, digits and hyphens make a key"
    keys = ["HTTP_X.REAL.USER", "HTTP_X!USER", "HTTP_X'"]
    assert [environ[key] for key in keys] == ["a", "b", "c"], "other signs stay unchanged"


def test_invalid_names_are_dropped_by_default(server):
    environ = shown(server, headers=[("X.Real.User", "a"), ("x!User", "b")])
    assert "a" not in environ.values() and "b" not in environ.values(), "by default"


def test_the_first_of_two_content_types_counts(server):
    types = [("Content-Type", "text/a"), ("Content-Type", "text/b")]
    response = server.ask("/", "POST", body=b"x", headers=types)
    environ = json.loads(response.body)
    assert environ["CONTENT_TYPE"][1] == "text/a", "the fields must not be joined"


def test_nginx_removes_the_transfer_encoding(server):
    with server.connect() as connection:
        chunked = [("Transfer-Encoding", "chunked"), ("TE", "trailers")]
        connection.send_request("/", method="POST", headers=chunked)
        connection.send_chunk(b"12345")
        connection.send_chunk(b"")
        environ = json.loads(connection.read_response().body)
    assert "HTTP_TRANSFER_ENCODING" not in environ, "nginx has decoded the chunks"
    assert environ["CONTENT_LENGTH"][1] == "5", "the length of all chunks"
    assert environ["wsgi.input_terminated"][1] == "True", "read() stops at the end"


def test_slashes_are_merged_as_nginx_merges_them(nginx):
    location = "location / { wsgi_app @APPS@/environ.py app; }"
    off = "server { listen 127.0.0.1:@OTHER_PORT@; merge_slashes off; %s }" % location
    server = nginx(location, http=off)
    for port, path in ((server.port, "/a/b/"), (server.other_port, "//a///b//")):
        environ = json.loads(server.ask("//a///b//", port=port).body)
        assert environ["PATH_INFO"][1] == path, "the path that nginx matched"
        assert environ["REQUEST_URI"][1] == "//a///b//", "the target stays unchanged"


def test_remote_user_is_set_only_if_nginx_verified_it(server):
    def credentials(password):
        return ("Authorization", "Basic " + base64.b64encode(b"anna:" + password).decode())

    environ = shown(server, "/", headers=[credentials(b"wrong")])
    assert "REMOTE_USER" not in environ, "nginx did not verify this user"
    assert environ["HTTP_AUTHORIZATION"].startswith("Basic "), "the application may verify it"
    environ = shown(server, "/secret", headers=[credentials(b"secret")])
    assert (environ["REMOTE_USER"], environ["AUTH_TYPE"]) == ("anna", "Basic"), "nginx verified it"
    for path in ("/secret/off", "/secret/any"):
        environ = shown(server, path, headers=[credentials(b"wrong")])
        assert "REMOTE_USER" not in environ, "nginx does not ask for a password here"
    assert server.ask("/secret", headers=[credentials(b"wrong")]).status == 401, "nginx verifies it"


def test_wsgi_param_sets_a_key(server):
    environ = shown(server, "/params?who=me", headers=[("X-Forged", "by client")])
    assert environ["PLAIN"] == "value", "a constant"
    assert environ["VARIABLE"] == "GET of me", "nginx's variables"
    assert environ["ARG_IF"] == "me", "if_not_empty, and the value is not empty"
    assert environ["SERVER_NAME"] == "chosen", "a param replaces a key of CGI"
    assert environ["HTTP_X_FORGED"] == "trusted", "a param replaces the client's field"
    assert environ["wsgi.url_scheme"] == "https", "a param replaces a key of wsgi"
    environ = shown(server, "/params")
    assert "ARG_IF" not in environ, "if_not_empty, and the value is empty"
    assert environ["ARG_ALWAYS"] == "", "without if_not_empty an empty value is set"


@pytest.mark.parametrize(
    "path, script_name, path_info",
    [
        ("/shop/cart", "/shop", "/cart"),
        ("/shop/", "/shop", "/"),
        ("/shop", "/shop", ""),
        ("/slash/cart", "/slash", "/cart"),
        ("/slash/", "/slash", "/"),
        ("/root/cart", "", "/root/cart"),
        ("/shop/a%2Fb", "/shop", "/a/b"),
    ],
)
def test_script_name_and_path_info_divide_the_path(server, path, script_name, path_info):
    environ = shown(server, path)
    assert environ["SCRIPT_NAME"] == script_name, "the prefix of the directive"
    assert environ["PATH_INFO"] == path_info, "the rest of the path"
    assert environ["REQUEST_URI"] == path, "the target stays unchanged"


def test_script_name_does_not_divide_a_word(server):
    assert server.ask("/shopping").status == 404, "/shopping is not below /shop"
    line = server.wait_log("/shopping", "/shop")[0]
    assert "client: 127.0.0.1" in line, "the log has a line about it"


def test_path_info_is_decoded(server):
    environ = shown(server, "/caf%C3%A9/%e4//x/../y%20z?q=%C3%A9")
    assert environ["PATH_INFO"] == "/caf\xc3\xa9/\xe4/y z", "one character for each byte"
    assert environ["QUERY_STRING"] == "q=%C3%A9", "the query string is not decoded"
    assert environ["REQUEST_URI"] == "/caf%C3%A9/%e4//x/../y%20z?q=%C3%A9", "nor the target"


def test_path_info_is_the_rewritten_path(server):
    environ = shown(server, "/rewritten?a=b")
    assert environ["PATH_INFO"] == "/to/here", "the path after the rewrite"
    assert environ["REQUEST_URI"] == "/rewritten?a=b", "the target of the client"


def test_header_bytes_are_latin1(server):
    environ = shown(server, headers=[("X-Name", "caf\xe9"), ("X-Tab", "a\tb")])
    assert environ["HTTP_X_NAME"] == "caf\xe9", "one character for each byte"
    assert environ["HTTP_X_TAB"] == "a\tb", "a tab stays a tab"


@pytest.mark.parametrize("port", ["", ":8080", ":49150"])
@pytest.mark.parametrize("path", ["/a/b", "", "?c"])
def test_the_host_of_an_absolute_target_counts(server, port, path):
    environ = shown(server, f"http://other.test{port}{path}", host="localhost")
    assert environ["HTTP_HOST"] == f"other.test{port}", "RFC 9112: Host is ignored then"
    assert environ["SERVER_NAME"] == "other.test", "the name by which nginx chose the server"
    assert environ["PATH_INFO"] == (path.rstrip("?c") or "/"), "the path of the target"
    environ = shown(server, f"http://other.test{port}/", version="HTTP/1.0", host=None)
    assert environ["HTTP_HOST"] == f"other.test{port}", "also without Host"


def test_a_subrequest_has_the_host_of_its_request(nginx):
    include = '<!--#include virtual="/part" -->'
    server = nginx.prepare(
        "location /page { ssi on; ssi_types *; } location /part { wsgi_app @APPS@/environ.py app; }",
        files=[("html/page", include)],
    ).start()
    for target in ("http://other.test:8080/page", "/page"):
        environ = shown(server, target, host="localhost")
        host = "other.test:8080" if "other" in target else "localhost"
        assert environ["HTTP_HOST"] == host, "the host of the main request"


@pytest.mark.parametrize("path", ["/", "/caf%C3%A9/%20x?a=b&c=%2F", "/shop/cart?x"])
def test_the_url_can_be_put_together(server, path):
    environ = shown(server, path, host=f"localhost:{server.port}")
    url = f"http://localhost:{server.port}{path}"
    assert wsgiref.util.request_uri(environ) == url, "PEP 3333, URL Reconstruction"
    del environ["HTTP_HOST"]
    assert wsgiref.util.request_uri(environ) == url, "also without Host"


def test_a_request_without_host_has_a_server_name(server):
    environ = shown(server, version="HTTP/1.0", host=None)
    assert "HTTP_HOST" not in environ, "the client sent no Host"
    assert environ["SERVER_NAME"] == "localhost", "the name of the server"
    assert environ["SERVER_PROTOCOL"] == "HTTP/1.0", "the protocol of the client"


def test_many_and_long_headers_are_complete(server):
    headers = [(f"X-Number-{n}", "v" * n) for n in range(80)] + [("X-Long", "l" * 7000)]
    environ = shown(server, headers=headers)
    assert environ["HTTP_X_LONG"] == "l" * 7000, "a long field"
    assert [len(environ[f"HTTP_X_NUMBER_{n}"]) for n in range(80)] == list(range(80)), "many fields"


def test_a_unix_socket_has_the_required_keys(nginx):
    server = nginx(
        "location / { wsgi_app @APPS@/environ.py app; }",
        http="server { listen unix:@PREFIX@/sock; location / { wsgi_app @APPS@/environ.py app; } }",
    )
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(server.prefix / "sock"))
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    environ = json.loads(answer.split(b"\r\n\r\n", 1)[1])
    assert environ["REMOTE_ADDR"][1].startswith("unix:"), "nginx's name for the peer"
    assert environ["SERVER_PORT"] == ["str", "80"], "PEP 3333 requires it: the port of the scheme"
    assert environ["SERVER_NAME"][1], "the name must not be empty, although the server has none"
