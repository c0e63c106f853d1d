"""Reloads and upgrades during traffic: no request fails, and the new code follows the old."""

import hashlib
import json
import os
import signal
from pathlib import Path

import pytest

from server import wait_for
from traffic import Traffic

pytestmark = [
    pytest.mark.not_inline("nginx replaces its workers in the same way"),
    pytest.mark.not_validated("the applications are not those of tests/apps"),
]

CONF = """
    location / { wsgi_app @PREFIX@/own.py app; }
    location /return { return 200 "returned"; }
"""
OWN = """
import hashlib, json, os

VERSION = %d


def app(environ, start_response):
    path = environ["PATH_INFO"]
    start_response("200 OK", [("Content-Type", "text/plain")])
    if path == "/stream":
        return (b"%%d\\n" %% VERSION for _ in range(50))
    body = environ["wsgi.input"].read()
    return [json.dumps([VERSION, os.getpid(), hashlib.md5(body).hexdigest()]).encode()]
"""
REQUESTS = 20_000
RELOADS = 5
UPLOAD = bytes(range(256)) * 400
EMPTY, UPLOADED = (hashlib.md5(body).hexdigest() for body in (b"", UPLOAD))


def keepalive(client):
    return check_answer(client, EMPTY, "/kept")


def new_connection(client):
    wrong = check_answer(client, EMPTY, "/new")
    client.close()
    return wrong


def upload(client):
    return check_answer(client, UPLOADED, "/upload", "PUT", UPLOAD)


def check_answer(client, digest, *request):
    status, body = client.ask(*request)
    return None if status == 200 and json.loads(body)[2] == digest else f"{status} {body[:200]!r}"


def stream(client):
    response = client.respond("/stream")
    lines = response.read().split()
    return None if len(lines) == 50 and len(set(lines)) == 1 else f"{response.status} {lines}"


def static(client):
    status, body = client.ask("/return")
    return None if (status, body) == (200, b"returned") else f"{status} {body!r}"


KINDS = [keepalive, keepalive, new_connection, upload, stream]


def version(server):
    return json.loads(server.ask("/").body)[0]


def test_a_reload_under_load_loses_no_request(nginx):
    server = nginx.prepare(CONF, files=[("own.py", OWN % 0)], workers=2).start()
    with Traffic(server.port, KINDS) as traffic:
        for number in range(1, RELOADS + 1):
            wait_for(
                lambda: traffic.failures or traffic.count > number * REQUESTS / (RELOADS + 1),
                "the traffic",
                60,
            )
            old = server.workers()
            server.write("own.py", OWN % number)
            assert version(server) == number - 1, "a change alone has no effect"
            server.send(signal.SIGHUP)
            wait_for(lambda: not set(old) & set(server.workers()), "the old workers to end", 60)
            for _ in range(4):
                assert version(server) == number, "the new code, after the old workers have ended"
        wait_for(lambda: traffic.failures or traffic.count > REQUESTS, "the traffic", 60)
    assert not traffic.failures, f"{len(traffic.failures)} of {traffic.count} failed"
    assert all(traffic.counts), "every kind of client must have sent requests"
    assert not server.log_lines("[error]"), "no error may be logged"


def test_reload_with_a_slow_import(nginx, gate):
    """Requests that arrive while a worker imports the new code wait for it."""
    server = nginx.prepare(CONF, files=[("own.py", OWN % 0)]).start()
    assert version(server) == 0, "the old code"
    stop, old = gate(), server.workers()
    server.write("own.py", f"open({str(stop.path)!r}, 'rb').read()\n" + OWN % 1)
    with Traffic(server.port, [keepalive, new_connection, static]) as traffic:
        server.send(signal.SIGHUP)
        stop.wait()
        wait_for(lambda: not set(old) & set(server.workers()), "the old worker to end")
        before = traffic.counts[2]
        wait_for(lambda: traffic.counts[2] > before + 10, "answers without Python")
        stop.shut()
        wait_for(lambda: traffic.counts[0] and traffic.counts[1], "the others")
        assert version(server) == 1, "with the new code"
    assert not traffic.failures, "no request may fail"


def test_a_killed_worker_under_load_loses_only_its_own_requests(nginx):
    server = nginx.prepare(CONF, files=[("own.py", OWN % 0)], workers=2).start()
    server.expect("exited on signal 9")
    wait_for(lambda: len(server.workers()) == 2, "both workers")
    victim, other = server.workers()
    with Traffic(server.port, [static, new_connection]) as traffic:
        os.kill(victim, signal.SIGKILL)
        wait_for(lambda: len(set(server.workers()) - {victim}) == 2, "a new worker")
        before = traffic.count
        wait_for(lambda: traffic.count > before + 50, "answers")
    assert other in server.workers(), "the other worker must go on"
    assert len(traffic.failures) <= 2, "only requests of the killed worker may fail"


def runs(text, number):
    return text != "plain" and json.loads(text)[0] == number


def test_reloads_without_and_with_the_module(nginx):
    server = nginx.prepare(CONF, files=[("own.py", OWN % 0)], workers=2).start()
    module = server.module
    for number in range(1, 4):
        server.module = None
        server.write_configuration(SERVER='location / { return 200 "plain"; }')
        server.send(signal.SIGHUP)
        wait_for(lambda: server.ask("/").text == "plain", "workers without the module")
        maps = Path(f"/proc/{server.process.pid}/maps").read_text()
        assert "libpython" not in maps or module.name in maps, "no half of it may stay loaded"
        server.module = module
        server.write("own.py", OWN % number)
        server.write_configuration(SERVER=CONF)
        server.send(signal.SIGHUP)
        # For a moment the old worker may answer after the new worker has.
        wait_for(lambda: runs(server.ask("/").text, number), "workers with the new code")
    assert not server.log_lines("[error]"), "no error may be logged"


class Daemon:
    """An nginx in the background. The test finds it, and ends it, by its pid file."""

    def __init__(self, server):
        self.server = server

    def pid(self, name="nginx.pid"):
        path = self.server.prefix / name
        try:
            text = path.read_text().strip()
        except FileNotFoundError:
            # nginx may rename and remove the file at any time.
            text = ""
        return int(text) if text else None

    def start(self, attempts=5):
        for _ in range(attempts):
            conf = self.server.prefix / "nginx.conf"
            conf.write_text(conf.read_text().replace("daemon off;", "daemon on;"))
            self.server.launch()
            process, self.server.process = self.server.process, None
            code = process.wait(20)
            if "Address already in use" not in self.server.log():
                break
            (self.server.prefix / "error.log").unlink()
            self.server.choose_ports()
        assert code == 0, f"nginx did not start: {self.server.output()}"
        wait_for(self.pid, "the pid file")
        wait_for(lambda: version(self.server) == 0, "an answer")

    def end(self):
        """Ends what still runs."""
        for name in ("nginx.pid.oldbin", "nginx.pid"):
            if self.pid(name):
                os.kill(self.pid(name), signal.SIGTERM)
        wait_for(lambda: not self.pid() and not self.pid("nginx.pid.oldbin"), "its end")


@pytest.fixture
def daemon(nginx):
    made = []

    def make(server):
        made.append(Daemon(server))
        return made[-1]

    yield make
    for one in made:
        one.end()


def test_an_application_runs_in_a_daemon(nginx, daemon):
    server = nginx.prepare(CONF, files=[("own.py", OWN % 0)])
    one = daemon(server)
    one.start()
    master = one.pid()
    assert os.getsid(master) != os.getsid(0), "it must run in the background"
    os.kill(master, signal.SIGQUIT)
    wait_for(lambda: not Path(f"/proc/{master}").exists(), "its end")


def test_upgrade_of_the_binary(nginx, daemon):
    """USR2 starts a new master while the old one runs, QUIT ends the old one: no request fails."""
    server = nginx.prepare(CONF, files=[("own.py", OWN % 0)], workers=2)
    one = daemon(server)
    one.start()
    old = one.pid()
    with Traffic(server.port, KINDS) as traffic:
        server.write("own.py", OWN % 1)
        os.kill(old, signal.SIGUSR2)
        wait_for(lambda: one.pid("nginx.pid.oldbin") == old, "the old master to step back")
        new = wait_for(lambda: one.pid() != old and one.pid(), "the new master")
        wait_for(lambda: version(server) == 1, "the new code")
        os.kill(old, signal.SIGQUIT)
        wait_for(lambda: not Path(f"/proc/{old}").exists(), "the end of the old master")
        before = traffic.count
        wait_for(lambda: traffic.count > before + 100, "answers")
        assert version(server) == 1, "only the new code"
    assert not traffic.failures, f"{len(traffic.failures)} of {traffic.count} failed"
    assert one.pid() == new, "the new master has the pid file"
