"""Counts the instructions of a whole nginx under callgrind: module, library, Python and nginx."""

import os
import pathlib
import shutil
import socket
import subprocess
import time

import callgrind
from endings import end_with_parent

ROOT = pathlib.Path(__file__).resolve().parents[2]
NGINX = os.environ.get("WSGI_NGINX", "/usr/sbin/nginx")
MODULE = os.environ.get("WSGI_MODULE", str(ROOT / "build/ngx_http_wsgi_module.so"))
APP = ROOT / "benches" / "app.py"
UNCOUNTED, COUNTED = 300, 2000

CONFIGURATION = """\
load_module "{module}";
{user}
daemon off;
master_process off;
pid nginx.pid;
error_log error.log;
events {{ }}
http {{
    access_log off;
    keepalive_requests 1000000;
    client_body_temp_path temp; proxy_temp_path temp; fastcgi_temp_path temp;
    uwsgi_temp_path temp; scgi_temp_path temp;
    wsgi_threads {threads};
    server {{
        listen 127.0.0.1:{port};
        location / {{ {location} }}
    }}
}}
"""


class Location:
    """A request to nginx, and the answer that it must give."""

    def __init__(self, text, threads=0, size=13, headers=""):
        self.text, self.threads, self.size = text, threads, size
        self.request = f"GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n{headers}\r\n".encode()


def browser():
    """Eleven more headers."""
    return (ROOT / "benches" / "headers.txt").read_text().replace("\n", "\r\n")


def application(name, **how):
    return Location(f'wsgi_app "{APP}" {name};', **how)


LOCATIONS = {
    "return 200": Location('return 200 "Hello world!\\n";'),
    "a file": Location("root {folder};"),
    "hello_world, inline": application("hello_world"),
    "hello_world, 1 thread": application("hello_world", threads=1),
    "return 200, 12 headers": Location('return 200 "Hello world!\\n";', headers=browser()),
    "from_environ, inline": application("from_environ", size=1024, headers=browser()),
    "from_environ, 1 thread": application("from_environ", threads=1, size=1024, headers=browser()),
}


def count(folder, name, location):
    """{group: instructions a request}"""
    output = folder / f"{name}.callgrind"
    run(folder, output, location)
    groups = callgrind.by_group(callgrind.instructions(output))
    return {group: count / COUNTED for group, count in groups.items()}


def run(folder, output, location):
    prefix = folder / "nginx"
    shutil.rmtree(prefix, ignore_errors=True)
    (prefix / "temp").mkdir(parents=True)
    (prefix / "index.html").write_bytes(b"Hello world!\n")
    port = free_port()
    text = CONFIGURATION.format(
        module=MODULE,
        # Workers of root run as the user nobody, which cannot read a home folder.
        user="user root;" if os.getuid() == 0 else "",
        threads=location.threads,
        port=port,
        location=location.text.format(folder=prefix),
    )
    (prefix / "nginx.conf").write_text(text)
    nginx = [NGINX, "-p", str(prefix), "-c", "nginx.conf", "-e", "error.log"]
    environment = callgrind.environment(folder / "seed.so", folder / "count.so")
    command = callgrind.command(output, "--instr-atstart=no")
    process = subprocess.Popen(
        [*map(str, command), *nginx],
        env=environment,
        preexec_fn=end_with_parent,
    )
    try:
        # count.c switches the counter on and off when it sees a new connection.
        for requests in (UNCOUNTED, COUNTED, 1):
            with connect(process, port, prefix / "error.log") as client:
                for _ in range(requests):
                    ask(client, location)
    finally:
        # This is quick, and callgrind still writes its file.
        process.terminate()
        process.wait()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def connect(process, port, log):
    deadline = time.monotonic() + 60
    while True:
        try:
            client = socket.create_connection(("127.0.0.1", port), timeout=60)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return client
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                lines = log.read_text() if log.exists() else ""
                raise SystemExit(f"nginx does not start under callgrind: {lines}") from None
            # nginx does not report that it listens, so the connection is tried again.
            time.sleep(0.05)


def ask(client, location):
    """Sends one request, and checks the whole answer."""
    client.sendall(location.request)
    answer = b""
    while (end := answer.find(b"\r\n\r\n") + 4) < 4 or len(answer) < end + location.size:
        data = client.recv(65536)
        if not data:
            raise SystemExit(f"nginx closed the connection: {answer[:500]!r}")
        answer += data
    if not answer.startswith(b"HTTP/1.1 200 OK\r\n") or len(answer) != end + location.size:
        raise SystemExit(f"a wrong answer: {answer[:500]!r}")
