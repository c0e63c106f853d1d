"""Runs the HTTP servers of examples/, with apps/web.py in them."""

import contextlib
import http.client
import signal
import socket
import subprocess
import urllib.parse

from conftest import HERE


class Server:
    """A running server."""

    def __init__(self, program, environment, log):
        command = [program, str(HERE / "apps/web.py"), "application", "0"]
        self.log = log
        with open(log, "wb") as stderr:
            self.process = subprocess.Popen(
                command, env=environment, stdout=subprocess.PIPE, stderr=stderr
            )
        self.url = urllib.parse.urlsplit(self.process.stdout.readline().decode().strip())

    def connect(self):
        return http.client.HTTPConnection(self.url.hostname, self.url.port, timeout=60)

    def send(self, text):
        """A connection on which `text` was sent unchanged."""
        connection = socket.create_connection((self.url.hostname, self.url.port), timeout=60)
        connection.sendall(text)
        return connection

    def ask(self, path, method="GET", body=None, **options):
        connection = self.connect()
        connection.request(method, path, body=body, **options)
        response = connection.getresponse()
        content = response.read()
        connection.close()
        return response, content

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        assert self.process.wait(timeout=60) == 0, self.log.read_text()
        self.process.stdout.close()


@contextlib.contextmanager
def serving(program, environment, log):
    """A server. It must end without an error, either during the test or at its end."""
    running = Server(program, environment, log)
    try:
        yield running
        if running.process.returncode is None:
            running.stop()
        assert "Sanitizer" not in running.log.read_text()
    finally:
        if running.process.returncode is None:
            running.process.kill()
            running.process.wait()
