"""nginx's filters work on what an application sends: gzip, gunzip, charset, headers, sub_filter."""

import gzip
import zlib

import client
import pytest

pytestmark = pytest.mark.not_validated("the validator refuses what the applications answer")

CONF = """
    gzip_types text/plain; gzip_min_length 1; gzip_vary on;
    location /gzip/ { gzip on; @PAGES@; wsgi_script_name /gzip; }
    location /slowly/ {
        gzip on; limit_rate 1k; wsgi_app @APPS@/errors.py app; wsgi_script_name /slowly;
    }
    location /narrow/ {
        gzip on; gzip_buffers 2 4k; limit_rate 300k;
        wsgi_app @APPS@/errors.py app; wsgi_script_name /narrow;
    }
    location /gunzip/ { gunzip on; @PAGES@; wsgi_script_name /gunzip; }
    location /charset/ { charset utf-8; @PAGES@; wsgi_script_name /charset; }
    location /recoded/ {
        source_charset windows-1251; charset koi8-r; charset_types text/html text/plain;
        @PAGES@; wsgi_script_name /recoded;
    }
    location /widened/ {
        source_charset windows-1251; charset utf-8; @PAGES@; wsgi_script_name /widened;
    }
    location /headers/ {
        add_header X-Some "$request_method"; add_header X-Always yes always;
        add_header X-Type "$sent_http_content_type";
        @PAGES@; wsgi_script_name /headers;
    }
    location /trailer/ { add_trailer X-Last "$status"; @PAGES@; wsgi_script_name /trailer; }
    location /expires/ { expires 1h; @PAGES@; wsgi_script_name /expires; }
    location /epoch/ { expires epoch; @PAGES@; wsgi_script_name /epoch; }
    location /typed/ { expires $by_type; @PAGES@; wsgi_script_name /typed; }
    location /sub/ {
        sub_filter "old words" "words that are new"; sub_filter_once off;
        @PAGES@; wsgi_script_name /sub;
    }
    location /sub_kept/ {
        sub_filter old new; sub_filter_last_modified on; @PAGES@; wsgi_script_name /sub_kept;
    }
    location /all/ {
        gzip on; charset utf-8; sub_filter old new; expires 1h; add_header X-Some yes;
        @PAGES@; wsgi_script_name /all;
    }
    location /unchunked/ {
        chunked_transfer_encoding off; @PAGES@; wsgi_script_name /unchunked;
    }
""".replace("@PAGES@", "wsgi_app @APPS@/pages.py app")

HTTP = """
    charset_map windows-1251 koi8-r { E0 C1; E1 C2; }
    charset_map windows-1251 utf-8 { E0 D0B0; E1 D0B1; }
    map $sent_http_content_type $by_type { default off; ~text/html max; }
"""

ZIP = [("Accept-Encoding", "gzip")]


@pytest.fixture(scope="module")
def server(module_nginx):
    return module_nginx(CONF, http=HTTP)


def test_gzip_compresses_any_shape_of_response(server):
    for page in ("say", "html", "fields"):
        response = server.ask(f"/gzip/{page}?some%20words", headers=ZIP)
        assert response.header("Content-Encoding") == "gzip", "in any shape of a response"
        assert zlib.decompress(response.body, 31) == b"some words"
        assert response.header("Vary") == "Accept-Encoding", "for caches"
    assert response.header("ETag") == 'W/"own"', "nginx makes the ETag a weak one"
    assert server.ask("/gzip/say?words").body == b"words", "not for a client without gzip"
    assert not server.ask("/gzip/type/image/png?words", headers=ZIP).header("Content-Encoding")


def test_gzip_leaves_a_compressed_response_unchanged(server):
    response = server.ask("/gzip/zipped?words", headers=ZIP)
    assert response.all("Content-Encoding") == ["gzip"], "compressed once"
    assert gzip.decompress(response.body) == b"words", "the application's bytes"


@pytest.mark.parametrize("path", ["/slowly/raises_after_chunk", "/narrow/raises_after_much"])
def test_a_broken_response_that_gzip_compresses_ends_under_limit_rate(server, path):
    with server.connect() as connection:
        connection.send_request(path, headers=ZIP)
        response = connection.read_head()
        with pytest.raises(client.Truncated):
            list(connection.pieces(response))  # not 60 seconds later, which is send_timeout


def test_gunzip_decompresses(server):
    response = server.ask("/gunzip/zipped?words")
    assert response.body == b"words", "for a client without gzip"
    assert response.header("Content-Encoding") is None, "the header must go, too"
    response = server.ask("/gunzip/zipped?words", headers=ZIP)
    assert gzip.decompress(response.body) == b"words", "not for a client with gzip"
    response = server.ask("/gunzip/zipped?words", "HEAD")
    assert (response.status, response.header("Content-Encoding")) == (200, None), "also for HEAD"


def test_charset_is_added_to_the_type(server):
    assert server.ask("/charset/say?a").header("Content-Type") == "text/html; charset=utf-8"
    response = server.ask("/charset/type/text/html;charset=koi8-r?a")
    assert response.header("Content-Type") == "text/html;charset=koi8-r", "the application's stays"
    response = server.ask("/charset/type/image/png?a")
    assert response.header("Content-Type") == "image/png", "only text has a charset"


def test_charset_recodes_the_body(server):
    for _ in range(3):
        response = server.ask("/recoded/say?%E0%E1")
        assert response.header("Content-Type") == "text/html; charset=koi8-r"
        assert response.body == b"\xc1\xc2", "each byte by nginx's table"
        assert response.header("Content-Length") == "2", "the number of bytes stays"
    assert server.ask("/widened/say?%E0%E1").body == "\u0430\u0431".encode(), "or it grows"


def test_charset_does_not_change_the_application_s_bytes(nginx):
    server = nginx.prepare(
        "charset_types text/plain; source_charset windows-1251; charset koi8-r;"
        "location / { wsgi_app @PREFIX@/own.py app; }",
        http=HTTP,
        files=[
            (
                "own.py",
                "WORDS = b'\\xe0\\xe1' * 20_000\n"
                "def app(environ, start_response):\n"
                "    start_response('200 OK', [('Content-Type', 'text/plain')])\n"
                "    return [WORDS, str(WORDS[0]).encode()]\n",
            )
        ],
    ).start()
    for _ in range(3):
        body = server.ask("/").body
        assert body == b"\xc1\xc2" * 20_000 + b"224", "the bytes object must stay unchanged"


def test_add_header_adds_fields(server):
    response = server.ask("/headers/say?a")
    assert response.header("X-Some") == "GET" and response.header("X-Always") == "yes"
    assert response.header("X-Type") == "text/html", "$sent_http_* has the application's field"
    assert server.ask("/headers/say?a", "HEAD").header("X-Some") == "HEAD", "also for HEAD"
    for path in ("status/404", "status/500", "raise"):
        response = server.ask(f"/headers/{path}")
        assert response.header("X-Some") is None, "only for the statuses of nginx's documents"
        assert response.header("X-Always") == "yes", "with always also for errors"


def test_add_trailer_adds_a_trailer(server):
    with server.connect() as connection:
        connection.send_request("/trailer/html?ab", headers=[("Connection", "close")])
        head = connection.read_head()
        body = connection.read_to_end()
    assert head.chunked, "a trailer needs chunks"
    assert body.endswith(b"\r\n0\r\nX-Last: 200\r\n\r\n"), "behind the last chunk"


def test_expires_replaces_the_application_s_fields(server):
    for page in ("say", "fields"):
        response = server.ask(f"/expires/{page}?a")
        assert response.all("Cache-Control") == ["max-age=3600"], "not the application's"
        assert response.header("Expires") != "Thu, 01 Jan 2026 00:00:00 GMT", "the same"
    response = server.ask("/epoch/fields?a")
    assert response.all("Cache-Control") == ["no-cache"]
    assert response.header("Expires") == "Thu, 01 Jan 1970 00:00:01 GMT"
    assert server.ask("/expires/status/404").header("Expires") is None, "not for errors"
    assert server.ask("/typed/say?a").header("Cache-Control") == "max-age=315360000", "by type"
    assert server.ask("/typed/type/text/css?a").header("Cache-Control") is None, "not for others"


def test_sub_filter_replaces_words(server):
    for page in ("say", "html"):
        response = server.ask(f"/sub/{page}?the%20old%20words,%20and%20old%20words")
        assert response.body == b"the words that are new, and words that are new", page
    response = server.ask("/sub/fields?old%20words")
    assert response.header("Last-Modified") is None, "the page has changed"
    assert response.header("ETag") is None or response.header("ETag").startswith("W/")
    response = server.ask("/sub_kept/fields?old")
    assert response.body == b"new" and response.header("Last-Modified"), "a directive can keep it"
    assert server.ask("/sub/type/text/css?old%20words").body == b"old words", "only in HTML"


def test_sub_filter_replaces_words_of_a_file(server):
    path = server.write("page.html", "<p>old words</p>" * 1000)
    body = server.ask(f"/sub/file?{path}").body
    assert body == b"<p>words that are new</p>" * 1000, "also through wsgi.file_wrapper"


def test_all_filters_work_together(server):
    response = server.ask("/all/html?old%20page", headers=ZIP)
    assert zlib.decompress(response.body, 31) == b"new page", "each filter in its order"
    assert response.header("Content-Type") == "text/html; charset=utf-8"
    assert response.header("X-Some") == "yes" and response.header("Expires")


def test_head_through_filters_has_no_body(server):
    for path in ("gzip", "gunzip", "recoded", "headers", "expires", "sub", "all"):
        for page in ("say", "html", "zipped", "nothing"):
            with server.connect() as connection:
                response = connection.ask(f"/{path}/{page}?old%20words", "HEAD", headers=ZIP)
                assert (response.status, response.body) == (200, b""), "no body for HEAD"
                assert connection.ask("/headers/say?next").body == b"next", "no byte of one is left"


def test_without_chunks_the_connection_ends_the_response(server):
    with server.connect() as connection:
        response = connection.ask("/unchunked/html?words")
        assert response.header("Connection") == "close", "the end of the connection is the end"
        assert response.body == b"words" and not response.chunked
