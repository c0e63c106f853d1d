"""Servers that are an nginx: with our module, with a file, or in front of another server."""

import os
import pathlib
import subprocess

from .install import ROOT
from .process import Server

NGINX = os.environ.get("WSGI_NGINX", "/usr/sbin/nginx")
MODULE = os.environ.get("WSGI_MODULE", str(ROOT / "build" / "ngx_http_wsgi_module.so"))

CONFIGURATION = """\
{load}
{user}
daemon off;
worker_processes 1;
pid nginx.pid;
lock_file nginx.lock;
error_log error.log {level};
events {{ worker_connections 1024; }}
http {{
    access_log off;
    default_type text/plain;
    keepalive_requests 1000000000;
    client_max_body_size 0;
    client_body_temp_path temp; proxy_temp_path temp; fastcgi_temp_path temp;
    uwsgi_temp_path temp; scgi_temp_path temp;
    {http}
    server {{
        listen {listen};
        server_name localhost;
        location / {{ {location} }}
    }}
}}
"""


class Nginx(Server):
    """An nginx with one location; subclasses say which. `options` go into its http block."""

    programs = (NGINX,)
    load = http = ""

    def location(self):
        raise NotImplementedError

    def http_block(self):
        return " ".join([self.http, *self.options])

    def write_files(self):
        (self.folder / "temp").mkdir()
        text = CONFIGURATION.format(
            load=self.load,
            user="user root;" if os.getuid() == 0 else "",
            level="notice",
            http=self.http_block(),
            listen=self.bind,
            location=self.location(),
        )
        (self.folder / "nginx.conf").write_text(text)

    def nginx_command(self):
        return [NGINX, "-p", self.folder, "-c", "nginx.conf", "-e", "error.log"]

    def commands(self):
        return [self.nginx_command()]

    @classmethod
    def version(cls):
        return ", ".join(filter(None, [nginx_version(), super().version()]))


class Ours(Nginx):
    """The module of this repository. Its options go into nginx's http block."""

    name, title = "ours", "libwsgi in nginx"
    programs = (NGINX, MODULE)
    load = f'load_module "{MODULE}";'

    def http_block(self):
        path = " ".join(f'"{folder}"' for folder in self.application.path[1:])
        given = f"wsgi_threads {self.threads}; " + (f"wsgi_python_path {path};" if path else "")
        return " ".join([given, *self.options])

    def location(self):
        return f'wsgi_app "{self.application.file}" {self.application.callable_name};'

    @classmethod
    def version(cls):
        commit = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True
        ).stdout.strip()
        return ", ".join(filter(None, [nginx_version(), f"libwsgi {commit or 'of no commit'}"]))


class Static(Nginx):
    """nginx and a folder of files, which is the measure of everything: `root` is the folder."""

    name, title = "static", "nginx, a static file"
    threaded = False

    def __init__(self, root, **how):
        super().__init__(**how)
        self.root = pathlib.Path(root)

    def location(self):
        return f'root "{self.root}";'


class Behind(Nginx):
    """An nginx in front of another server on a unix socket; `backend` is that server's class.

    `options` are the other server's. Everything is in the folder of the nginx, sockets included.
    """

    backend = None
    passing = ""

    def start(self):
        # The backend's own folder, log and processes are this server's.
        self.back = self.backend(
            self.application, threads=self.threads, unix="backend.sock", options=self.options
        )
        self.options = []
        return super().start()

    def environment(self):
        return {**super().environment(), **self.back.environment()}

    def write_files(self):
        super().write_files()
        self.back.folder = self.folder
        self.back.unix = self.folder / "backend.sock"
        self.back.write_files()

    def location(self):
        return self.passing.format(socket=self.folder / "backend.sock")

    def commands(self):
        return [*self.back.commands(), self.nginx_command()]


def nginx_version():
    if not pathlib.Path(NGINX).exists():
        return None
    said = subprocess.run([NGINX, "-v"], capture_output=True, text=True).stderr
    return said.strip().rpartition(" ")[2].replace("/", " ")
