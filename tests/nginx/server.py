"""One nginx of one test: its folder, its configuration, its processes and its log.

The tests change nothing outside the folder. Environment: WSGI_NGINX (the binary), WSGI_MODULE (the
module), PYTHON (the interpreter that the module was built with), KEEP_LOGS=1 (keep the folder,
print its path), WSGI_TEST_INLINE=1 (`wsgi_threads 0` where a test sets no number of threads),
WSGI_TEST_VALIDATE=1 (the applications of tests/apps behind wsgiref's validator).
"""

import grp
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import client
import runs
import validated

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import log_lines  # noqa: E402

APPS = ROOT / "tests" / "apps"
NGINX = os.environ.get("WSGI_NGINX", "/usr/sbin/nginx")
MODULE = Path(os.environ.get("WSGI_MODULE", ROOT / "build" / "ngx_http_wsgi_module.so")).absolute()
PYTHON = os.environ.get("PYTHON", "/usr/bin/python3")
PRELOAD = {"LD_PRELOAD": os.environ["WSGI_PRELOAD"]} if "WSGI_PRELOAD" in os.environ else {}
ENVIRONMENT = {**os.environ, **PRELOAD}
DEADLINE = 20.0

# The description of each numbered line of the log in docs/errors.md.
DESCRIBED = log_lines.described()

INLINE = runs.is_on("inline")

# Lines that a test must not leave in the error log, unless it called `expect`. A worker writes
# WSGI0003 when it ends running work by force. Without running work a stop takes no time and writes
# no line.
ALARMS = re.compile(
    r"\[(alert|emerg|crit)\]|exited on signal|AddressSanitizer|runtime error:|panicked"
    r"|a bug of its own|Iterator garbage collected without being closed|WSGI0003"
)

CONFIGURATION = """\
@LOAD@
@USER@
daemon off;
master_process on;
worker_processes @WORKERS@;
error_log @PREFIX@/error.log info;
pid @PREFIX@/nginx.pid;
@MAIN@
events { worker_connections 1024; }
http {
    default_type text/plain;
    access_log @PREFIX@/access.log;
    client_body_temp_path @PREFIX@/body;
    proxy_temp_path @PREFIX@/proxy;
    fastcgi_temp_path @PREFIX@/fastcgi;
    uwsgi_temp_path @PREFIX@/uwsgi;
    scgi_temp_path @PREFIX@/scgi;
    @HTTP@
    server {
        listen 127.0.0.1:@PORT@ backlog=511;
        listen 127.0.0.1:@H2_PORT@ http2;
        server_name localhost;
        root @PREFIX@/html;
        location = /harness/ready { access_log off; return 200 "@PREFIX@"; }
        @SERVER@
    }
}
"""


def wait_for(condition, what, deadline=DEADLINE):
    """Calls `condition` again and again until its result is true, and returns the result."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"waited {deadline} s for {what}"
        time.sleep(0.005)


def settle(value, times=3):
    """Calls `value` until the result was the same several times in a row, and returns it."""
    answers = [object()]
    while answers.count(answers[-1]) < times:
        answers = [*answers[1 - times :], value()]
    return answers[-1]


def free_ports(count):
    """Ports of the kernel's choice. The function holds all until the last, so they differ."""
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


class Nginx:
    """A configuration in a folder of its own, and the nginx that runs it."""

    def __init__(self, prefix, server="", http="", main="", workers=1, module=MODULE):
        self.prefix = Path(prefix)
        if INLINE and module and "wsgi_threads" not in http:
            http += " wsgi_threads 0;"
        self.parts = {"SERVER": server, "HTTP": http, "MAIN": main, "WORKERS": str(workers)}
        self.module = module
        self.process = None
        self.was_launched = False
        self.expected = []
        (self.prefix / "html").mkdir(exist_ok=True)
        self.choose_ports()

    def choose_ports(self):
        self.port, self.h2_port, self.other_port = free_ports(3)
        self.write_configuration()

    def write_configuration(self, **parts):
        """Writes nginx.conf. `parts` (SERVER=, HTTP=, MAIN=) replace those of the constructor."""
        self.parts.update(parts)
        load = f"load_module {self.module};" if self.module else ""
        text = CONFIGURATION.replace("@LOAD@", load)
        text = text.replace("@USER@", "user root;" if os.getuid() == 0 else "")
        for name, value in self.parts.items():
            text = text.replace(f"@{name}@", value)
        for name, value in self.places().items():
            text = text.replace(f"@{name}@", str(value))
        if validated.WANTED:
            text = validated.wrap(text, APPS, self.prefix)
        (self.prefix / "nginx.conf").write_text(text)

    def run_as_nobody(self):
        """Gives the workers a user of their own. Only root can do that."""
        conf = self.prefix / "nginx.conf"
        group = grp.getgrgid(pwd.getpwnam("nobody").pw_gid).gr_name
        conf.write_text(conf.read_text().replace("user root;", f"user nobody {group};"))

    def places(self):
        """The value of @NAME@ in a configuration."""
        return {
            "PREFIX": self.prefix,
            "APPS": APPS,
            "PORT": self.port,
            "H2_PORT": self.h2_port,
            "OTHER_PORT": self.other_port,
        }

    def write(self, name, text):
        """Writes a file of the test into the folder, and returns its path."""
        path = self.prefix / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def command(self, *more):
        assert Path(NGINX).exists(), f"there is no nginx at {NGINX}: install it, or set WSGI_NGINX"
        assert not self.module or Path(self.module).exists(), (
            f"there is no module at {self.module}: build it, or set WSGI_MODULE"
        )
        return [NGINX, "-p", str(self.prefix), "-c", "nginx.conf", "-e", "error.log", *more]

    def check(self, user=None):
        """The result of `nginx -t` for the configuration."""
        options = {"user": user} if user else {}
        return subprocess.run(
            self.command("-t"),
            capture_output=True,
            text=True,
            timeout=60,
            env=ENVIRONMENT,
            **options,
        )

    def start(self, attempts=5):
        """Starts nginx and waits until it answers. It changes a port that was taken meanwhile."""
        for _ in range(attempts):
            self.launch()
            if self.is_ready():
                return self
            if "Address already in use" not in self.log():
                break
            (self.prefix / "error.log").unlink()
            (self.prefix / "output").unlink()
            self.choose_ports()
        self.process = None
        raise AssertionError(f"nginx did not start:\n{self.output()}{self.log()}")

    def launch(self):
        """Starts nginx and does not wait."""
        self.was_launched = True
        with open(self.prefix / "output", "ab") as output:
            self.process = subprocess.Popen(
                self.command(),
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                env=ENVIRONMENT,
            )

    def is_ready(self):
        """Waits until this nginx answers, with the name of its folder, or has ended."""

        def answers():
            if "Address already in use" in self.log():
                self.process.kill()
                self.process.wait()
            if self.process.poll() is not None:
                return True
            try:
                return self.ask("/harness/ready").text == str(self.prefix)
            except (OSError, client.Closed):
                return False

        wait_for(answers, "nginx to answer")
        return self.process.poll() is None

    def send(self, number):
        """Sends a signal to the master."""
        self.process.send_signal(number)

    def stop(self, number=signal.SIGQUIT, deadline=DEADLINE):
        """Ends nginx, waits for it, and returns its exit code. nginx may have ended before."""
        if self.process is None:
            return None
        process, self.process = self.process, None
        if process.poll() is None:
            process.send_signal(number)
        try:
            return process.wait(deadline)
        except subprocess.TimeoutExpired:
            process.terminate()
            process.wait(DEADLINE)
            raise AssertionError(f"nginx did not end within {deadline} s:\n{self.log()}") from None

    def expect(self, pattern):
        """Declares that the test causes the alarming lines of the log that match `pattern`."""
        self.expected.append(re.compile(pattern))

    def alarms(self):
        """The alarming lines of the log that no test expects. It ignores those of `nginx -t`."""
        lines = (self.output() + self.log()).splitlines() if self.was_launched else []
        alarms = [line for line in lines if ALARMS.search(line)]
        return [line for line in alarms if not any(p.search(line) for p in self.expected)]

    def finish(self):
        """Ends nginx, and fails if the log has unexpected lines."""
        try:
            code = self.stop()
            assert code in (0, None), f"nginx ended with {code}:\n{self.log()}"
            alarms = "\n".join(self.alarms())
            assert not alarms, f"the error log has alarming lines:\n{alarms}"
            unlike = "\n".join(log_lines.unlike(self.output() + self.log(), DESCRIBED))
            assert not unlike, f"docs/errors.md describes other lines than these:\n{unlike}"
        finally:
            if os.environ.get("KEEP_LOGS") == "1":
                print(f"kept: {self.prefix}")
            else:
                shutil.rmtree(self.prefix, ignore_errors=True)

    def connect(self, port=None, **how):
        return client.Connection(port or self.port, **how)

    def ask(self, path, method="GET", port=None, **how):
        """One request on a connection of its own."""
        with self.connect(port) as connection:
            return connection.ask(path, method, **how)

    def log(self):
        return self._read("error.log")

    def access_log(self):
        return self._read("access.log")

    def output(self):
        return self._read("output")

    def _read(self, name):
        path = self.prefix / name
        return path.read_text(errors="replace") if path.exists() else ""

    def log_lines(self, *words):
        """The lines of the error log that contain each of `words`."""
        return [line for line in self.log().splitlines() if all(word in line for word in words)]

    def wait_log(self, *words, count=1):
        """Waits until `count` lines of the error log contain each of `words`, and returns them."""

        def found():
            lines = self.log_lines(*words)
            return lines if len(lines) >= count else None

        try:
            return wait_for(found, f"a line of the log with {words}")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log()}") from None

    def wait_access(self, *words):
        """Waits for a line of the access log that contains each of `words`."""

        def found():
            lines = self.access_log().splitlines()
            return next((line for line in lines if all(word in line for word in words)), None)

        return wait_for(found, f"a line of the access log with {words}")

    def wait_lines(self, name, count):
        """Waits until a file of the folder has `count` whole lines, and returns them."""

        def found():
            lines = self._read(name).split("\n")[:-1]
            return lines if len(lines) >= count else None

        return wait_for(found, f"{count} lines in {name}")

    def workers(self):
        """The process ids of the workers."""
        master = self.process.pid
        return [int(p) for p in Path(f"/proc/{master}/task/{master}/children").read_text().split()]

    def memory(self, pid):
        """The resident memory of a worker, in bytes."""
        status = Path(f"/proc/{pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024

    def reset_peak_memory(self):
        """Restarts `peak_memory` at the only worker's present memory; returns that, in bytes."""
        Path(f"/proc/{self.workers()[0]}/clear_refs").write_text("5")
        return self.peak_memory()

    def peak_memory(self):
        """The most resident memory that the only worker has had, in bytes."""
        status = Path(f"/proc/{self.workers()[0]}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024

    def make_certificate(self):
        """A key and a certificate for TLS, key.pem and cert.pem in the folder."""
        command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
        names = "-subj /CN=localhost -days 2 -keyout key.pem -out cert.pem"
        subprocess.run(
            [*command.split(), *names.split()], cwd=self.prefix, check=True, capture_output=True
        )
