"""Settings of nginx that change how bodies and responses travel."""

import concurrent.futures
import hashlib
import json
import signal
import ssl
import subprocess

import pytest

from server import wait_for

BODIES = """
    client_max_body_size 20m;
    location /in_file/ { client_body_in_file_only clean; %(input)s wsgi_script_name /in_file; }
    location /single/ { client_body_in_single_buffer on; %(input)s wsgi_script_name /single; }
    location /tiny/ { client_body_buffer_size 64; %(input)s wsgi_script_name /tiny; }
    location /memory/ { client_body_buffer_size 20m; %(input)s wsgi_script_name /memory; }
""" % {"input": "wsgi_app @APPS@/input.py app;"}
FILES = """
    location /sendfile/ { sendfile on; tcp_nopush on; %(file)s wsgi_script_name /sendfile; }
    location /threads/ { sendfile on; aio threads; %(file)s wsgi_script_name /threads; }
    location /buffers/ { output_buffers 1 512; %(file)s wsgi_script_name /buffers; }
    location /limited/ { limit_rate 400k; %(file)s wsgi_script_name /limited; }
    location /zip/ { gzip on; gzip_types *; %(file)s wsgi_script_name /zip; }
    location /sub/ {
        sub_filter rest REST; sub_filter_once off; sub_filter_types *;
        %(file)s wsgi_script_name /sub;
    }
""" % {"file": "wsgi_app @APPS@/file_wrapper.py app;"}
FILE = b"0123456789\nand the rest\n" * 5000
TLS = """
    server {
        listen 127.0.0.1:@OTHER_PORT@ ssl;
        ssl_certificate @PREFIX@/cert.pem; ssl_certificate_key @PREFIX@/key.pem;
        location / { wsgi_app @APPS@/environ.py app; }
        location /large/ { wsgi_app @APPS@/large.py app; wsgi_script_name /large; }
    }
"""


@pytest.mark.parametrize("place", ["in_file", "single", "tiny", "memory"])
@pytest.mark.parametrize("size", [0, 1, 5000, 3_000_000])
@pytest.mark.parametrize("buffering", ["on", "off"])
def test_a_body_arrives_with_each_setting_of_its_place(nginx, place, size, buffering):
    server = nginx(BODIES, http=f"wsgi_request_buffering {buffering};")
    body = b"0123456789" * (size // 10 + 1)
    expected = repr(hashlib.sha256(body[:size]).hexdigest()).encode()
    assert server.ask(f"/{place}/digest", "POST", body=body[:size]).body == expected, "with length"
    with server.connect() as connection:
        chunked = [("Transfer-Encoding", "chunked")]
        connection.send_request(f"/{place}/digest", method="POST", headers=chunked)
        for start in range(0, size, 100_000):
            connection.send_chunk(body[start : min(start + 100_000, size)])
        connection.send_chunk(b"")
        assert connection.read_response().body == expected, "in chunks"


@pytest.fixture(scope="module")
def files(module_nginx):
    return module_nginx.prepare(FILES, files=[("file", FILE.decode())]).start()


@pytest.mark.parametrize("way", ["sendfile", "threads", "buffers", "limited", "zip"])
def test_a_file_arrives_with_each_setting_of_sending(files, way):
    with files.connect() as connection:
        target = f"?{files.prefix}/file"
        assert connection.ask(f"/{way}/whole{target}").body == FILE, "whole"
        assert connection.ask(f"/{way}/offset{target}").body == FILE[10:], "a part of it"
        assert connection.ask(f"/{way}/bytes{target}").body == b"and the rest", "a BytesIO"


def test_filters_change_files(files):
    body = files.ask(f"/sub/whole?{files.prefix}/file").body
    assert body == FILE.replace(b"rest", b"REST"), "nginx's filters read the file"


@pytest.fixture(scope="module")
def secure(module_nginx):
    prepared = module_nginx.prepare(http=TLS)
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
    where = ["-keyout", prepared.prefix / "key.pem", "-out", prepared.prefix / "cert.pem"]
    subprocess.run([*command.split(), *where], check=True, capture_output=True)
    return prepared.start()


def over_tls(server):
    context = ssl.create_default_context(cafile=server.prefix / "cert.pem")
    connection = server.connect(server.other_port)
    connection.socket = context.wrap_socket(connection.socket, server_hostname="localhost")
    return connection


def test_environ_over_tls(secure):
    with over_tls(secure) as connection:
        environ = {k: v[1] for k, v in json.loads(connection.ask("/").body).items()}
        assert environ["wsgi.url_scheme"] == environ["REQUEST_SCHEME"] == "https", "the scheme"
        assert environ["HTTPS"] == "on", "the key that older applications use"
        assert environ["SSL_PROTOCOL"] == connection.socket.version(), "Apache's name for it"
        assert environ["SSL_CIPHER"] == connection.socket.cipher()[0], "of TLS"
        assert environ["SERVER_PORT"] == str(secure.other_port), "the port"
        for shape in ("list", "generator", "one"):
            assert len(connection.ask(f"/large/{shape}").body) == 10 << 20, "large bodies"


def test_variables_of_the_process_are_not_in_environ(nginx):
    server = nginx("location / { wsgi_app @APPS@/environ.py app; }", main="env SECRET=word;")
    environ = json.loads(server.ask("/").body)
    assert "SECRET" not in environ, "it is in os.environ only"
    assert environ["leaked"][1] == [], "nor any other variable"


def test_reloads_under_load_lose_no_request(nginx):
    server = nginx("location / { wsgi_app @APPS@/response.py app; }", workers=2)
    going = True

    def client(number):
        count = 0
        while going or count < 20:
            assert server.ask("/generator").body == b"onetwothree", "no request is lost"
            count += 1
        return count

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        clients = [pool.submit(client, number) for number in range(4)]
        for _ in range(5):
            old = set(server.workers())
            server.send(signal.SIGHUP)
            wait_for(lambda: not set(server.workers()) & old, "the old workers to end")
        going = False
        assert all(future.result() >= 20 for future in clients), "through five reloads"


@pytest.mark.not_inline("the stream waits")
def test_worker_shutdown_timeout_ends_a_stream(nginx, gate):
    server = nginx(
        "location / { wsgi_app @APPS@/wait.py app; }", main="worker_shutdown_timeout 200ms;"
    )
    server.expect("WSGI0003")
    stop = gate()
    with server.connect() as connection:
        connection.send_request(f"/stream?{stop.query}")
        assert connection.read_chunk(connection.read_head()) == b"first", "the stream has begun"
        server.send(signal.SIGQUIT)
        assert server.process.wait(15) == 0, "the worker must end within the time"
        assert connection.read_to_end() == b"", "the response must not look complete"


def test_error_page_for_503(nginx):
    server = nginx.prepare(
        """
        error_page 503 /busy.html;
        location = /busy.html { return 503 "come again"; }
        location / { wsgi_app @PREFIX@/own.py app; }
        """,
        files=[("own.py", "raise ValueError('broken')\n")],
    ).start()
    response = server.ask("/")
    assert (response.status, response.body) == (503, b"come again"), "the page of error_page"
    assert response.header("Retry-After"), "the header stays"
