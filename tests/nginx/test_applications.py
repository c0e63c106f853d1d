"""Several applications, servers and workers, and what they share."""

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


def test_applications_in_several_locations_share_their_module(nginx):
    server = nginx(COUNTERS, http="wsgi_python_path @APPS@;")
    assert server.ask("/first").body == b"first 1", "a file and a callable"
    assert server.ask("/again").body == b"first 2", "the same names are the same application"
    assert server.ask("/second").body == b"second 3", "another callable shares the module"
    assert server.ask("/hello").body == b"Hello world!", "another file is another application"
    assert server.ask("/module").body.startswith(b"first"), "a module is another application"


def test_two_servers_share_an_application(nginx):
    server = nginx(COUNTERS, http=TWO_SERVERS)
    assert server.ask("/first").body == b"first 1", "the one"
    assert server.ask("/", port=server.other_port).body == b"first 2", "shared by the other server"
    assert server.ask("/one", host="other.test").body == b"one", "another name has its own"


def test_each_worker_has_its_own_python(nginx):
    server = nginx("location / { wsgi_app @APPS@/process.py app; }", workers=2)
    seen = set()

    def both():
        seen.add(int(server.ask("/pid").body))
        return len(seen) == 2

    wait_for(both, "both workers to answer")
    assert seen == set(server.workers()), "both workers must answer"


def test_many_clients_at_once_get_their_own_answers(nginx):
    server = nginx("location / { wsgi_app @APPS@/response.py app; }", workers=2)

    def client(number):
        shapes = ("list", "generator", "one", "written", "late") * 8
        with server.connect() as connection:
            return [connection.ask(f"/{shape}").body for shape in shapes]

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(client, range(16)))
    expected = [b"onetwothree", b"onetwothree", b"one", b"abc", b"late"] * 8
    assert answers == [expected] * 16, "no client may get another client's answer"


def test_a_location_inherits_params_or_replaces_them(nginx):
    server = nginx(
        """
        wsgi_param FROM server;
        location /inherits { wsgi_app @APPS@/environ.py app; }
        location /own { wsgi_app @APPS@/environ.py app; wsgi_param OWN yes; }
        """
    )
    assert b'"FROM": ["str", "server"]' in server.ask("/inherits").body, "inherited"
    own = server.ask("/own").body
    assert b'"OWN"' in own and b'"FROM"' not in own, "replaced, as other lists of nginx are"


def test_named_and_if_locations_can_have_applications(nginx):
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


def test_subrequests_reach_applications(nginx):
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
    assert server.ask("/page").body == b"one, onetwothree.", "the parts of a page, in order"
    assert server.ask("/closed").status == 500, "auth_request accepts 2xx, 401 and 403 only"


def test_error_page_redirects_to_an_application(nginx):
    server = nginx(
        """
        location / { error_page 404 = /instead; }
        location /instead { wsgi_app @APPS@/environ.py app; }
        """
    )
    body = server.ask("/missing").body
    assert b'"PATH_INFO": ["str", "/instead"]' in body, "PATH_INFO is that of error_page"
    assert b'"REQUEST_URI": ["str", "/missing"]' in body, "REQUEST_URI is the client's"
