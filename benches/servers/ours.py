"""Our nginx: applications, and in the same worker what nginx answers by itself."""

import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BENCHES = ROOT / "benches"
sys.path.insert(0, str(BENCHES))

from peers.nginx import MODULE, NGINX, Nginx  # noqa: E402

SCRATCH = ROOT / "build" / "bench"
MEGABYTE = 1 << 20
HELLO = b"Hello world!\n"
KILOBYTE = b"x" * 1024
FILES = {"1m": MEGABYTE, "10m": 10 * MEGABYTE, "13": len(HELLO)}

CONFIGURATION = """\
load_module "{module}";
{user}
daemon off;
worker_processes {workers};
pid nginx.pid;
lock_file nginx.lock;
error_log error.log notice;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    # As in Debian's nginx.conf.
    sendfile on;
    tcp_nopush on;
    default_type text/plain;
    keepalive_requests 1000000000;
    client_max_body_size 0;
    client_body_temp_path temp; proxy_temp_path temp; fastcgi_temp_path temp;
    uwsgi_temp_path temp; scgi_temp_path temp;
    wsgi_threads {threads};
    {python_path}
    {http}
    server {{
        listen 127.0.0.1:{port};
        location = /return {{ return 200 "{hello}"; }}
        location = /return1k {{ return 200 "{kilobyte}"; }}
        location /files/ {{ alias "{files}/"; }}
        location /files-read/ {{ sendfile off; alias "{files}/"; }}
        location = /sleep_5ms {{ wsgi_app "{app}" sleep_5ms; }}
        location = /busy_200ms {{ wsgi_app "{app}" busy_200ms; }}
        location / {{ wsgi_app "{file}" {callable_name}; }}
    }}
}}
"""


def make_files():
    """What is served as a file, by nginx and by applications."""
    SCRATCH.mkdir(parents=True, exist_ok=True)
    for name, size in FILES.items():
        file = SCRATCH / name
        if not file.exists() or file.stat().st_size != size:
            file.write_bytes(HELLO if size == len(HELLO) else b"0123456789abcdef" * (size // 16))


class OurNginx(Nginx):
    """`http`: more directives. `workers`: how many processes."""

    name, title = "libwsgi", "libwsgi in nginx"
    programs = (NGINX, MODULE)

    def __init__(self, application, http="", workers=1, **how):
        super().__init__(application, **how)
        self.http, self.workers = http, workers

    def write_files(self):
        (self.folder / "temp").mkdir()
        path = " ".join(f'"{folder}"' for folder in self.application.path[1:])
        text = CONFIGURATION.format(
            module=MODULE,
            # Workers of root become nobody, who may not read a home folder.
            user="user root;" if os.getuid() == 0 else "",
            workers=self.workers,
            threads=self.threads,
            python_path=f"wsgi_python_path {path};" if path else "",
            http=self.http,
            port=self.port,
            hello=HELLO.decode().replace("\n", "\\n"),
            kilobyte=KILOBYTE.decode(),
            files=SCRATCH,
            app=BENCHES / "app.py",
            file=self.application.file,
            callable_name=self.application.callable_name,
        )
        (self.folder / "nginx.conf").write_text(text)


class PlainNginx(Nginx):
    """Without the module: how much memory nginx needs by itself."""

    def location(self):
        return "return 200;"
