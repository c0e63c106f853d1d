"""The servers by name: those that have a command line, those that are called, and all of them."""

import subprocess

from .apache import Daemon, Embedded
from .install import PYTHON, folder_of
from .nginx import Behind, Ours, Static
from .process import Server


class Uwsgi(Server):
    """uWSGI with its own HTTP parser, as it recommends for production, without logging."""

    name, title = "uwsgi", "uWSGI, its own HTTP"
    distributions = ("uwsgi",)
    socket = "--http-socket"

    def commands(self):
        words = "--master --processes 1 --need-app --single-interpreter --die-on-term"
        words += " --disable-logging --enable-threads --threads"
        path = [word for folder in self.application.path for word in ("--pythonpath", folder)]
        application = ["--wsgi-file", self.application.file]
        application += ["--callable", self.application.callable_name]
        where = self.unix or self.bind
        program = folder_of("uwsgi") / "bin" / "uwsgi"
        listen = [self.socket, where]
        return [
            [program, *words.split(), self.threads, *path, *application, *listen, *self.options]
        ]


class UwsgiSocket(Uwsgi):
    """uWSGI as something else's backend, with its own protocol."""

    socket = "--socket"


class Gunicorn(Server):
    name, title = "gunicorn", "gunicorn, gthread"
    distributions = ("gunicorn",)

    def commands(self):
        words = "-m gunicorn --workers 1 --worker-class gthread --no-control-socket"
        command = [PYTHON, *words.split(), "--log-level", "warning", "--threads", self.threads]
        return [[*command, "--bind", self.bind, *self.options, self.application.name]]


class Granian(Server):
    name, title = "granian", "granian"
    distributions = ("granian",)

    def commands(self):
        words = "-m granian --interface wsgi --workers 1 --log-level warning --blocking-threads"
        where = ["--uds", self.unix] if self.unix else ["--host", "127.0.0.1", "--port", self.port]
        command = [PYTHON, *words.split(), self.threads, *where, *self.options]
        return [[*command, self.application.name]]


class Pyvoy(Server):
    """Envoy with Python in it. The process that starts Envoy stays."""

    name, title = "pyvoy", "pyvoy (Envoy)"
    distributions = ("pyvoy",)
    unix_sockets = False

    def commands(self):
        program = folder_of("pyvoy") / "bin" / "pyvoy"
        words = ["--interface", "wsgi", "--worker-threads", self.threads, *self.options]
        where = ["--address", "127.0.0.1", "--port", self.port]
        return [[PYTHON, program, *words, *where, self.application.name]]


class CaddySnake(Server):
    """Caddy with Python in it: one worker, in Caddy's process, with threads as Caddy makes them."""

    name, title = "caddysnake", "caddy-snake (Caddy)"
    distributions = ("caddysnake",)
    unix_sockets = False

    def commands(self):
        program = folder_of("caddysnake") / "bin" / "caddysnake"
        words = ["--server-type", "wsgi", "--workers", 1, "--workers-runtime", "thread"]
        where = ["--listen", f"127.0.0.1:{self.port}", *self.options]
        return [[PYTHON, program, *words, *where, "--app", self.application.name]]

    def environment(self):
        # Without these variables, Caddy writes files into the user's home.
        own = {"XDG_DATA_HOME": str(self.folder), "XDG_CONFIG_HOME": str(self.folder)}
        return {**super().environment(), **own}


class Waitress(Server):
    name, title = "waitress", "waitress"
    distributions = ("waitress",)

    def commands(self):
        where = f"--unix-socket={self.unix}" if self.unix else f"--listen={self.bind}"
        command = [PYTHON, "-m", "waitress", where, f"--threads={self.threads}", *self.options]
        return [[*command, self.application.name]]


class Launched(Server):
    """A server without a command line: launch.py calls it."""

    threaded = False
    unix_sockets = False

    def commands(self):
        launcher = __file__.replace("servers.py", "launch.py")
        where = self.unix or self.port
        application = [self.application.file, self.application.callable_name]
        return [[PYTHON, launcher, self.name, where, self.threads, *application]]


class Bjoern(Launched):
    name = title = "bjoern"
    distributions = ("bjoern",)
    unix_sockets = True


class Fastwsgi(Launched):
    name = title = "fastwsgi"
    distributions = ("fastwsgi",)


class Pyruvate(Launched):
    name = title = "pyruvate"
    distributions = ("pyruvate",)
    unix_sockets = True
    threaded = True


class Socketify(Launched):
    name = title = "socketify"
    distributions = ("socketify",)


class Wsgiref(Launched):
    name, title = "wsgiref", "wsgiref of Python"

    @classmethod
    def version(cls):
        told = subprocess.run([PYTHON, "--version"], capture_output=True, text=True)
        return told.stdout.strip()


class NginxUwsgi(Behind):
    name, title = "nginx-uwsgi", "uWSGI behind nginx"
    distributions = ("uwsgi",)
    backend = UwsgiSocket
    passing = "include /etc/nginx/uwsgi_params; uwsgi_pass unix:{socket};"


class NginxGunicorn(Behind):
    """As gunicorn's documents recommend: nginx keeps the clients, and buffers for them."""

    name, title = "nginx-gunicorn", "gunicorn behind nginx"
    distributions = ("gunicorn",)
    backend = Gunicorn
    passing = "proxy_set_header Host $http_host; proxy_pass http://unix:{socket};"


SERVERS = {
    server.name: server
    for server in (
        Ours,
        Static,
        Embedded,
        Daemon,
        Uwsgi,
        NginxUwsgi,
        Gunicorn,
        NginxGunicorn,
        Granian,
        Pyvoy,
        CaddySnake,
        Waitress,
        Bjoern,
        Fastwsgi,
        Pyruvate,
        Socketify,
        Wsgiref,
    )
}


def start(name, application, **how):
    """A running server; leave it with `with`, or call its stop()."""
    return SERVERS[name](application, **how)


def why_missing(name):
    """Why a server cannot be run here, or None."""
    return SERVERS[name].why_missing()
