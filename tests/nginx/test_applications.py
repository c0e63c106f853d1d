"""Several applications, servers and workers; who shares what."""

import concurrent.futures

from server import wait_for

COUNTERS = """
    location /first { wsgi_app @APPS@/counter.py first; }
    location /again { wsgi_app @APPS@/counter.py first; }
    location /second { wsgi_app @APPS@/counter.py second; }
    location /module { wsgi_app counter:first; }
    location /hello { wsgi_app @APPS@/hello.py hello_world; }
"""
TWO_SERVERS = """
    server {
        listen 127.0.0.1:@OTHER_PORT@;
        location / { wsgi_app @APPS@/counter.py first; }
    }
    server {
        listen 127.0.0.1:@PORT@;
        server_name other.test;
        location / { wsgi_app @APPS@/response.py app; }
    }
"""


def test_applications_in_several_locations(nginx):
    server = nginx(COUNTERS, http="wsgi_python_path @APPS@;")
    assert server.ask("/first").body == b"first 1", "a file and a callable"
    assert server.ask("/again").body == b"first 2", "the same twice is the same application"
    assert server.ask("/second").body == b"second 3", "another callable shares the module"
    assert server.ask("/hello").body == b"Hello world!", "another file is another application"
    assert server.ask("/module").body.startswith(b"first"), "and so is a module"


def test_two_servers(nginx):
    server = nginx(COUNTERS, http=TWO_SERVERS)
    assert server.ask("/first").body == b"first 1", "the one"
    assert server.ask("/", port=server.other_port).body == b"first 2", "shares with the other"
    assert server.ask("/one", host="other.test").body == b"one", "and a name has its own"


def test_two_workers(nginx):
    server = nginx("location / { wsgi_app @APPS@/process.py app; }", workers=2)
    seen = set()

    def both():
        seen.add(int(server.ask("/pid").body))
        return len(seen) == 2

    wait_for(both, "both workers to answer")
    assert seen == set(server.workers()), "each has a Python of its own"


def test_many_clients_at_once(nginx):
    server = nginx("location / { wsgi_app @APPS@/response.py app; }", workers=2)

    def client(number):
        shapes = ("list", "generator", "one", "written", "late") * 8
        with server.connect() as connection:
            return [connection.ask(f"/{shape}").body for shape in shapes]

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(client, range(16)))
    expected = [b"onetwothree", b"onetwothree", b"one", b"abc", b"late"] * 8
    assert answers == [expected] * 16, "nobody gets another's answer"


def test_settings_of_a_location(nginx):
    server = nginx(
        """
        wsgi_param FROM server;
        location /inherits { wsgi_app @APPS@/environ.py app; }
        location /own { wsgi_app @APPS@/environ.py app; wsgi_param OWN yes; }
        """
    )
    assert b'"FROM": ["str", "server"]' in server.ask("/inherits").body, "params are inherited"
    own = server.ask("/own").body
    assert b'"OWN"' in own and b'"FROM"' not in own, "or replaced, as other lists of nginx are"


def test_named_and_if_locations(nginx):
    server = nginx(
        """
        location /files { try_files $uri @app; }
        location @app { wsgi_app @APPS@/environ.py app; }
        location /limited { limit_except GET { deny all; } wsgi_app @APPS@/hello.py hello_world; }
        """
    )
    assert b'"PATH_INFO": ["str", "/files/x"]' in server.ask("/files/x").body, "a named location"
    assert server.ask("/limited").body == b"Hello world!", "a location with limits"
    assert server.ask("/limited", "POST").status == 403, "which hold"


def test_subrequests(nginx):
    server = nginx.prepare(
        """
        location /page { ssi on; ssi_types text/plain; try_files /page.txt =404; }
        location /part { wsgi_app @APPS@/response.py app; wsgi_script_name /part; }
        location /closed { auth_request /part/late; try_files /page.txt =404; }
        """,
        files=[
            (
                "html/page.txt",
                '<!--#include virtual="/part/one" -->, <!--#include virtual="/part/generator" -->.',
            )
        ],
    ).start()
    assert server.ask("/page").body == b"one, onetwothree.", "parts of a page, in order"
    assert server.ask("/closed").status == 500, "auth_request takes 2xx, 401 and 403 only"


def test_internal_redirect_by_error_page(nginx):
    server = nginx(
        """
        location / { error_page 404 = /instead; }
        location /instead { wsgi_app @APPS@/environ.py app; }
        """
    )
    body = server.ask("/missing").body
    assert b'"PATH_INFO": ["str", "/instead"]' in body, "the application is where it leads"
    assert b'"REQUEST_URI": ["str", "/missing"]' in body, "and sees what was asked"
