#!/usr/bin/env python3
"""What WSGI in nginx costs, beside nginx itself: CPU per request, requests/s, and memory.

Each server is a real nginx with one worker, pinned to one core; the load (wrk) runs on another. The
servers take turns, round by round, so that what else the machine does hits all alike. What is
printed are medians, as a table in Markdown.

CPU is utime + stime of the master and the worker, all threads, from /proc: with 32 connections
always busy that is more telling than requests/s, which also depend on how fast the load is.
"""

import argparse
import contextlib
import http.client
import os
import pathlib
import re
import shutil
import socket
import statistics
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
NGINX = os.environ.get("WSGI_NGINX", "/usr/sbin/nginx")
MODULE = os.environ.get("WSGI_MODULE", str(ROOT / "build/ngx_http_wsgi_module.so"))
APP = ROOT / "examples/nginx/app.py"
BODY = b"Hello world!\n"
TICKS = os.sysconf("SC_CLK_TCK")

CONFIGURATION = """\
{user}
daemon off;
worker_processes 1;
pid nginx.pid;
lock_file nginx.lock;
error_log error.log;
{main}
events {{ }}
http {{
    access_log off;
    default_type text/plain;
    keepalive_requests 1000000000;
    client_body_temp_path temp; proxy_temp_path temp; fastcgi_temp_path temp;
    uwsgi_temp_path temp; scgi_temp_path temp;
    {http}
    server {{
        listen 127.0.0.1:{port};
        location / {{ {location} }}
    }}
}}
"""


class Server:
    """An nginx in a folder of its own, with one location."""

    def __init__(self, name, location, main="", http=""):
        self.name, self.location, self.main, self.http = name, location, main, http
        self.cpu, self.rate, self.rss = [], [], []

    def write_configuration(self, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        (folder / "temp").mkdir()
        (folder / "index.html").write_bytes(BODY)
        text = CONFIGURATION.format(
            user="user root;" if os.getuid() == 0 else "",
            main=self.main,
            http=self.http,
            port=self.port,
            location=self.location.format(folder=folder),
        )
        (folder / "nginx.conf").write_text(text)

    @contextlib.contextmanager
    def running(self, core):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="wsgi-bench-"))
        self.write_configuration(folder)
        self.process = subprocess.Popen(
            [NGINX, "-p", str(folder), "-c", "nginx.conf", "-e", "error.log"],
            preexec_fn=lambda: os.sched_setaffinity(0, {core}),
        )
        try:
            self.wait_for_answer(folder)
            yield self
        finally:
            self.process.terminate()
            self.process.wait()
            shutil.rmtree(folder)

    def wait_for_answer(self, folder):
        deadline = time.monotonic() + 20
        while True:
            try:
                return self.check()
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"{self.name}: {(folder / 'error.log').read_text()}") from None
                time.sleep(0.05)

    def check(self):
        """The answer must be right before it counts how fast it came."""
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        client.request("GET", "/")
        response = client.getresponse()
        length, body = response.getheader("Content-Length"), response.read()
        client.close()
        if (response.status, length, body) != (200, str(len(BODY)), BODY):
            raise SystemExit(f"{self.name} answers {response.status} with {body!r}")

    def worker(self):
        master = self.process.pid
        return int(pathlib.Path(f"/proc/{master}/task/{master}/children").read_text().split()[0])

    def cpu_seconds(self):
        total = 0
        for pid in (self.process.pid, self.worker()):
            after_name = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += int(after_name[11]) + int(after_name[12])
        return total / TICKS

    def measure(self, options):
        before = self.cpu_seconds()
        requests, rate = load(self.port, options)
        used = self.cpu_seconds() - before
        self.cpu.append(used / requests * 1e6)
        self.rate.append(rate)
        status = pathlib.Path(f"/proc/{self.worker()}/status").read_text()
        self.rss.append(int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024)
        self.check()


def load(port, options):
    """Runs wrk once; returns how many requests were answered, and how many a second."""
    command = ["wrk", "-t1", f"-c{options.connections}", f"-d{options.seconds}s"]
    result = subprocess.run(
        [*command, f"http://127.0.0.1:{port}/"],
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {options.load_core}),
    ).stdout
    if "Non-2xx" in result or "Socket errors" in result:
        raise SystemExit(f"not every request was answered:\n{result}")
    return int(re.search(r"(\d+) requests in", result)[1]), float(
        re.search(r"Requests/sec:\s+([\d.]+)", result)[1]
    )


def servers(threads):
    wsgi = f'wsgi_app "{APP}" hello_world;'
    module = f'load_module "{MODULE}";'
    return [
        Server("nginx, `return 200`", f'return 200 "{BODY.decode()}";'),
        Server("nginx, static file", 'root "{folder}";'),
        Server("nginx, `hello_world`", wsgi, module, f"wsgi_threads {threads};"),
    ]


def table(measured):
    base = statistics.median(measured[0].cpu)
    lines = [
        "| server | CPU µs/request | more than `return 200` | requests/s | RSS of the worker, MB |",
        "|---|---:|---:|---:|---:|",
    ]
    for server in measured:
        cpu, rate, rss = map(statistics.median, (server.cpu, server.rate, server.rss))
        more = cpu - base
        lines.append(f"| {server.name} | {cpu:.1f} | {more:+.1f} | {rate:,.0f} | {rss:.1f} |")
    return "\n".join(lines)


def conditions(options):
    cpus = pathlib.Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*: (.*)", cpus)
    version = subprocess.run([NGINX, "-v"], capture_output=True, text=True).stderr.strip()
    return (
        f"{version.rpartition(' ')[2]}; {model[1] if model else 'unknown processor'},"
        f" {os.cpu_count()} cores, Linux {os.uname().release}; {options.connections} keepalive"
        f" connections, {options.rounds} rounds of {options.seconds} s, {options.threads} Python"
        f" threads, a body of {len(BODY)} bytes."
    )


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--server-core", type=int, default=0)
    parser.add_argument("--load-core", type=int, default=1)
    return parser.parse_args()


def main():
    options = arguments()
    if os.cpu_count() < 2 or not shutil.which("wrk"):
        raise SystemExit("needs wrk and two cores: one for the server, one for the load")
    with contextlib.ExitStack() as stack:
        running = servers(options.threads)
        for server in running:
            stack.enter_context(server.running(options.server_core))
            load(server.port, options)
        for _ in range(options.rounds):
            for server in running:
                server.measure(options)
        print(conditions(options), table(running), sep="\n\n")


main()
