"""Pages of several parts: SSI, additions and mirrors, with applications as the parts."""

import json
import zlib

import pytest

from server import wait_for

pytestmark = pytest.mark.not_validated("the validator refuses what the applications answer")

PAGES = "wsgi_app @APPS@/pages.py app"
CONF = """
    ssi_value_length 4k;
    location / { @PAGES@; }
    location /part/ { @PAGES@; wsgi_script_name /part; }
    location /shown/ { wsgi_app @APPS@/environ.py app; }
    location /ssi/ { ssi on; @PAGES@; wsgi_script_name /ssi; }
    location /recoded/ {
        ssi on; charset koi8-r; source_charset windows-1251; @PAGES@; wsgi_script_name /recoded;
    }
    location /static/ { ssi on; }
    location /added/ {
        add_before_body /part/say/before,; add_after_body /part/html/,after;
        @PAGES@; wsgi_script_name /added;
    }
    location /added_static/ { add_before_body /part/html/before,; }
    location /everything/ {
        ssi on; gzip on; gzip_min_length 1; gzip_types text/html; charset utf-8;
        add_before_body /part/say/before,; add_after_body /ssi/html/,after;
        @PAGES@; wsgi_script_name /everything;
    }
    location /mirrored/ { mirror /copy/; @PAGES@; wsgi_script_name /mirrored; }
    location /unmirrored_body/ {
        mirror /copy/; mirror_request_body off; @PAGES@; wsgi_script_name /unmirrored_body;
    }
    location /acted/ { post_action /copy/; @PAGES@; wsgi_script_name /acted; }
    location /mirrored_broken/ { mirror /broken/; @PAGES@; wsgi_script_name /mirrored_broken; }
    location /broken/ { internal; wsgi_app @PREFIX@/copy.py broken; }
    location /mirrored_twice/ {
        mirror /copy/; mirror /copy/; wsgi_request_buffering off;
        @PAGES@; wsgi_script_name /mirrored_twice;
    }
    location /copy/ {
        internal; log_subrequest on; access_log @PREFIX@/copies.log copies;
        wsgi_app @PREFIX@/copy.py app;
    }
    location /copies/ { wsgi_app @PREFIX@/copy.py show; }
""".replace("@PAGES@", PAGES)

HTTP = """
    log_format copies "$request_method $uri $status";
    charset_map windows-1251 koi8-r { E0 C1; E1 C2; }
"""

COPY = '''
copies = []


def app(environ, start_response):
    body = environ["wsgi.input"].read()
    said = [environ["REQUEST_METHOD"], environ["REQUEST_URI"], environ.get("CONTENT_LENGTH"), body]
    write = start_response("200 OK", [("Content-Type", "text/plain")])
    write(b"a copy ")
    for _ in range(64):
        yield bytes(65_536)
    copies.append(said)


def show(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    shown, copies[:] = list(copies), []
    return [repr(shown).encode()]


def broken(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"not all"
    raise ValueError("after the first block")
'''


@pytest.fixture(scope="module")
def server(module_nginx):
    files = [("copy.py", COPY), ("html/added_static/page.html", "static"), *static_pages()]
    return module_nginx.prepare(CONF, http=HTTP, files=files).start()


def include(path, *how):
    return f'<!--# include virtual="{path}" {" ".join(how)} -->'


def static_pages():
    several = [include(f"/part/say?part%20{n},") for n in range(20)]
    waits = include("/part/html?one", 'wait="yes"') + "-" + include("/part/say?two")
    kept = include("/part/html?kept", 'set="part"') + '<!--# echo var="part" -->!'
    nested = "(" + include(f"/ssi/say?{escaped(include('/part/say?inner'))}") + ")"
    fails = include("/part/raise") + " and on"
    stub = '<!--# block name="gone" -->a stub<!--# endblock -->' + include(
        "/part/status/502", 'stub="gone"'
    )
    environ = include("/shown/?own=query")
    return [
        (f"html/static/{name}.html", text)
        for name, text in [
            ("several", "".join(several)),
            ("between", " ".join(several)),
            ("waits", waits),
            ("kept", kept),
            ("nested", nested),
            ("fails", fails),
            ("stub", stub),
            ("environ", environ),
            ("loop", "again " + include("/static/loop.html")),
        ]
    ]


def escaped(text):
    return "".join(f"%{ord(letter):02X}" for letter in text)


def test_ssi_includes_several_applications(server):
    parts = [f"part {n}," for n in range(20)]
    for _ in range(3):
        assert server.ask("/static/several.html").text == "".join(parts), "the parts, in order"
        assert server.ask("/static/between.html").text == " ".join(parts), "the text between them"


def test_ssi_commands_use_parts(server):
    assert server.ask("/static/waits.html").text == "one-two", "wait"
    assert server.ask("/static/kept.html").text == "kept!", "set: a part becomes a variable"
    assert server.ask("/static/nested.html").text == "(inner)", "a part of a part"


def test_an_ssi_part_may_fail(server):
    response = server.ask("/static/fails.html")
    assert response.status == 200 and "500 Internal" in response.text, "the part is nginx's page"
    assert response.text.endswith(" and on"), "the page goes on"
    server.wait_log("ValueError: on purpose")
    assert server.ask("/static/stub.html").text in ("a stub", "status 502"), "stub"


def test_an_ssi_part_has_a_query_of_its_own(server):
    body = b"a body of the page"
    response = server.ask("/static/environ.html", headers=[("X-Of", "the page"), ("Cookie", "a=1")])
    shown = {key: value for key, (_, value) in json.loads(response.body).items()}
    assert shown["REQUEST_METHOD"] == "GET" and shown["PATH_INFO"] == "/shown/"
    assert shown["QUERY_STRING"] == "own=query", "the query is the part's"
    assert shown["REQUEST_URI"] == "/static/environ.html", "the target is the page's"
    assert (shown["HTTP_X_OF"], shown["HTTP_COOKIE"]) == ("the page", "a=1"), "also the headers"
    page = escaped(include("/part/echo"))
    response = server.ask(f"/ssi/say?{page}", "POST", body=body)
    assert response.body == b"GET 18 " + body, "also the body"


def test_ssi_works_on_pages_of_an_application(server):
    for kind in ("say", "html"):
        page = escaped("a " + include("/part/say?b") + " c " + include("/part/html?d") + " e")
        assert server.ask(f"/ssi/{kind}?{page}").text == "a b c d e", "in one piece or in many"
        only = escaped(include("/part/say?b") + include("/part/say?d"))
        assert server.ask(f"/ssi/{kind}?{only}").text == "bd", "a page of parts alone"
    inner = escaped("(" + include("/part/say?in") + ")")
    outer = escaped("[" + include(f"/ssi/html?{inner}") + "]")
    most = escaped("{" + include(f"/ssi/html?{outer}") + "}" + include("/part/say?."))
    assert server.ask(f"/ssi/html?{most}").text == "{[(in)]}.", "applications within applications"


def test_ssi_works_on_a_page_of_file_wrapper(server):
    path = server.write("page.html", include("/part/html?part") + " rest" * 1000)
    assert server.ask(f"/ssi/file?{path}").text == "part" + " rest" * 1000


def test_ssi_sends_no_part_after_head(server):
    with server.connect() as connection:
        page = escaped("a " + include("/part/say?b"))
        assert connection.ask(f"/ssi/say?{page}", "HEAD").body == b"", "no parts for HEAD"
        assert connection.ask("/static/several.html", "HEAD").body == b""
        assert connection.ask("/say?next").body == b"next", "no byte is left on the connection"


def test_a_loop_of_ssi_ends(server):
    response = server.ask("/static/loop.html")
    assert response.text.startswith("again again "), "nginx limits the depth"
    server.wait_log("subrequests cycle")


@pytest.mark.not_inline("the stream has a thread of its own")
def test_an_ssi_page_may_stream(server, gate):
    stop = gate()
    page = escaped("a " + include("/part/say?b") + " " + include(f"/part/stop?{stop.query}") + " z")
    with server.connect() as connection:
        connection.send_request(f"/ssi/html?{page}")
        head = connection.read_head()
        got = b""
        while not got.endswith(b"-" * 1024):
            got += connection.read_chunk(head)
        assert got == b"a b before " + b"-" * 1024, "sent before the part ends"
        stop.open()
        rest = b"".join(connection.pieces(head))
    assert rest.endswith(b" after z"), "then the rest"


@pytest.mark.not_inline("the stream has a thread of its own")
@pytest.mark.parametrize("way", ["ssi", "recoded"])
def test_ssi_parts_do_not_wait_for_the_page(server, gate, way):
    stop = gate()
    page = escaped("a " + include("/part/say?b") + include("/part/html?c"))
    with server.connect() as connection:
        connection.send_request(f"/{way}/stop/{page}?{stop.query}")
        head = connection.read_head()
        got = b""
        while not got.endswith(b"c"):
            got += connection.read_chunk(head)
        assert got == b"a bc", "sent while the page waits"
        stop.open()
        assert b"".join(connection.pieces(head)).endswith(b" after"), "then the rest"


@pytest.mark.not_inline("a test of a single thread")
@pytest.mark.parametrize("buffering", ["on", "off"])
def test_ssi_works_with_one_thread(nginx, buffering):
    http = f"{HTTP} wsgi_threads 1; wsgi_buffer_size 16k; wsgi_buffering {buffering};"
    server = nginx.prepare(CONF, http=http, files=[("copy.py", COPY)]).start()
    wait_for(lambda: server.ask("/say/ready").status == 200, "the import")
    page = escaped("a " + include("/part/html?b") + " " + include("/part/say?c") + " d")
    assert server.ask(f"/ssi/html?{page}").text == "a b c d", "a part waits for the page's thread"
    body = server.ask("/added/twice", "POST", body=b"0123456789" * 1000).body
    assert body.startswith(b"before,"), "a page above its buffer gives its thread to its parts"
    assert body.count(b"0123456789" * 1000) == 100, "the page must be complete"
    assert body.endswith(b",after"), "the second part"


def test_additions_are_sent_around_the_page(server):
    for kind in ("say", "html"):
        assert server.ask(f"/added/{kind}?page").text == "before,page,after", "around HTML"
    assert server.ask("/added/type/text/css?page").text == "page", "around nothing else"
    assert server.ask("/added/say?page", "HEAD").body == b""
    assert server.ask("/added_static/page.html").text == "before,static", "also around a file"
    with server.connect() as connection:
        for _ in range(20):
            assert connection.ask("/added/html?page").text == "before,page,after"


def test_additions_of_a_large_page_are_complete(server):
    path = server.write("large.html", "0123456789abcdef" * 100_000)
    body = server.ask(f"/added/file?{path}").text
    assert body == "before," + "0123456789abcdef" * 100_000 + ",after", "no byte is lost"


def test_all_of_them_work_together(server):
    page = escaped("a " + include("/part/html?b") + " c " + include("/added/say?d") + " e")
    response = server.ask(f"/everything/html?{page}", headers=[("Accept-Encoding", "gzip")])
    text = zlib.decompress(response.body, 31)
    assert text == b"before,a b c d e,after", "all parts in order"


def copies(server, count):
    """The requests that the mirror's application has seen, once there are `count` of them."""
    seen = []

    def enough():
        seen.extend(eval(server.ask("/copies/").body))
        return len(seen) >= count

    wait_for(enough, f"{count} copies")
    return seen


def test_a_mirror_gets_a_copy_of_the_request(server):
    response = server.ask("/mirrored/echo?q", "POST", body=b"the body")
    assert response.body == b"POST 8 the body", "the client gets the original's answer"
    expected = ["POST", "/mirrored/echo?q", "8", b"the body"]
    assert copies(server, 1) == [expected], "the copy has all of it, and runs to its end"
    large = b"0123456789" * 50_000
    assert server.ask("/mirrored/echo", "POST", body=large).body.endswith(large)
    assert copies(server, 1)[0][3] == large, "also a body in a file"
    server.ask("/unmirrored_body/echo", "POST", body=b"the body")
    assert copies(server, 1)[0][2:] in ([None, b""], ["0", b""]), "or no body, as configured"


def test_a_mirror_may_break_off(server):
    with server.connect() as connection:
        for _ in range(3):
            response = connection.ask("/mirrored_broken/echo")
            assert response.body.startswith(b"GET"), "the client gets the original's answer"
    server.wait_log("WSGI0201", "ValueError", "/broken/", count=3)


def test_post_action_runs_after_the_answer(server):
    with server.connect() as connection:
        for n in range(3):
            response = connection.ask(f"/acted/echo?{n}", "POST", body=b"the body")
            assert response.body == b"POST 8 the body", "the client gets its answer"
    seen = copies(server, 3)
    assert [copy[1] for copy in seen] == [f"/acted/echo?{n}" for n in range(3)], "then it runs"
    server.ask("/acted/raise")
    assert copies(server, 1)[0][1] == "/acted/raise", "also after a failure"


def test_a_mirror_of_an_unbuffered_body_buffers_it(server):
    assert server.ask("/mirrored/echo").body.startswith(b"GET"), "without a body"
    assert copies(server, 1)[0][:2] == ["GET", "/mirrored/echo"]
    response = server.ask("/mirrored_twice/echo", "PUT", body=b"twice")
    assert response.body == b"PUT 5 twice", "nginx reads the body for its mirrors"
    assert [copy[3] for copy in copies(server, 2)] == [b"twice"] * 2, "two mirrors"
    log = server.prefix / "copies.log"
    wait_for(lambda: "PUT /copy/ 200" in log.read_text(), "log_subrequest to log the copy")
