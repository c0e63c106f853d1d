"""Scripts that end in the middle of their work must leave no file and no process behind."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"]
APT_GET = """
case "$*" in
*install*) echo >{begun}; exec sleep 60 ;;
*indextargets*) echo /debian/ ;;
esac
"""
PROGRAMS = {
    "apt-get": APT_GET,
    "apt-cache": "echo '  Candidate: 1.85.0'",
    "sudo": 'exec "$@"',
}


def wait_for(condition, what, deadline=30):
    end = time.monotonic() + deadline
    while not (value := condition()):
        assert time.monotonic() < end, f"waited {deadline} s for {what}"
        time.sleep(0.01)
    return value


def take_signals():
    """A shell cannot trap what its parent ignores, such as SIGHUP below nohup."""
    for name in [*SIGNALS, "SIGQUIT"]:
        signal.signal(getattr(signal, name), signal.SIG_DFL)


@pytest.fixture
def begin():
    """Starts programs, each in its own session as a terminal does, and ends these sessions."""
    running = []

    def start(*command, **how):
        process = subprocess.Popen(
            list(map(str, command)), start_new_session=True, preexec_fn=take_signals, **how
        )
        running.append(process)
        return process

    yield start
    for process in running:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


class Machine:
    """A copy of the scripts with an apt-get that blocks, and a policy-rc.d of its own."""

    def __init__(self, folder):
        self.folder, self.begun = folder, folder / "begun"
        self.policy = folder / "policy-rc.d"
        self.programs = folder / "bin"
        self.programs.mkdir()
        (folder / "scripts").mkdir()
        for name in ("install-dependencies", "python-link", "find-cargo", "newer-apt"):
            text = (ROOT / "scripts" / name).read_text()
            text = re.sub("^policy=.*", f"policy={self.policy}", text, flags=re.M)
            text = text.replace("/tmp/libwsgi-apt-", f"{folder}/place-")
            self.write(folder / "scripts" / name, text)
        for name, line in PROGRAMS.items():
            text = f"#!/bin/sh\n{line}\n".replace("{begun}", str(self.begun))
            self.write(self.programs / name, text)

    def write(self, path, text):
        path.write_text(text)
        path.chmod(0o755)

    def environment(self, **more):
        path = f"{self.programs}:{os.environ['PATH']}"
        known = {"PYTHON": "/usr/bin/python3", "CARGO": "true", "WSGI_NGINX": "true"}
        return {**os.environ, **known, "PATH": path, **more}

    def install(self, begin, NGINX_SRC="/nonexistent", **how):
        script = self.folder / "scripts/install-dependencies"
        return begin(script, "serve", env=self.environment(NGINX_SRC=NGINX_SRC), **how)

    def headers(self):
        """A file that counts as the headers of nginx, so that they are not missing."""
        header = self.folder / "nginx/src/core/nginx.h"
        header.parent.mkdir(parents=True)
        header.touch()
        return str(self.folder / "nginx")


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


@pytest.mark.parametrize("name", [*SIGNALS, "SIGQUIT"])
def test_install_dependencies_cleans_up(machine, begin, name):
    process = machine.install(begin)
    wait_for(machine.begun.exists, "apt-get")
    said = machine.policy.read_text()
    assert said.endswith("\nexit 101\n"), "no service may start meanwhile"
    assert f"of libwsgi, process {process.pid}\n" in said, "the file must name its process"
    number = getattr(signal, name)
    os.killpg(process.pid, number)
    assert process.wait(30) == 128 + number
    assert not machine.policy.exists(), "the script must remove its file"


def test_install_dependencies_cleans_up_after_a_killed_run(machine, begin):
    process = machine.install(begin)
    wait_for(machine.begun.exists, "apt-get")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert machine.policy.exists(), "a killed script cannot remove its file"
    process = machine.install(begin, NGINX_SRC=machine.headers(), stdout=subprocess.PIPE, text=True)
    said, _ = process.communicate(timeout=30)
    assert not machine.policy.exists(), "the next run must, although it installs nothing"
    assert "left by a run of it that was killed" in said


def test_install_dependencies_keeps_the_file_of_another_run(machine, begin):
    first = machine.install(begin)
    wait_for(machine.begun.exists, "apt-get")
    second = machine.install(begin, NGINX_SRC=machine.headers())
    assert second.wait(30) == 0
    assert machine.policy.exists(), "another run still needs the file"
    os.killpg(first.pid, signal.SIGTERM)
    first.wait(30)
    assert not machine.policy.exists()


def test_install_dependencies_keeps_the_policy_of_the_owner(machine, begin):
    machine.policy.write_text("#!/bin/sh\n# of the one who owns this machine\nexit 101\n")
    process = machine.install(begin)
    wait_for(machine.begun.exists, "apt-get")
    os.killpg(process.pid, signal.SIGINT)
    process.wait(30)
    assert "owns this machine" in machine.policy.read_text()


@pytest.mark.parametrize("name", SIGNALS)
def test_newer_apt_cleans_up(machine, begin, name):
    script = machine.folder / "scripts/newer-apt"
    process = begin(script, "sid", "install", "x", env=machine.environment())
    wait_for(machine.begun.exists, "apt-get")
    assert list(machine.folder.glob("place-*")), "its folder must be there"
    os.killpg(process.pid, getattr(signal, name))
    assert process.wait(30) == 128 + getattr(signal, name)
    assert not list(machine.folder.glob("place-*")), "it must remove its folder"
    assert not list(machine.folder.glob("build/newer/apt/*/begun")), "a part must not look complete"


@pytest.mark.parametrize("name", SIGNALS)
def test_check_nginx_examples_cleans_up(machine, begin, name):
    scratch = machine.folder / "scratch"
    scratch.mkdir()
    document = machine.folder / "page.md"
    document.write_text("```nginx\nwsgi_threads 8;\n```\n")
    nginx = machine.programs / "nginx"
    machine.write(nginx, f"#!/bin/sh\necho >{machine.begun}\nexec sleep 60\n")
    # The script only checks that the module exists.
    known = {"TMPDIR": str(scratch), "WSGI_NGINX": str(nginx), "WSGI_MODULE": str(document)}
    how = {"env": machine.environment(**known), "stderr": subprocess.DEVNULL}
    process = begin(ROOT / "scripts/check-nginx-examples", document, **how)
    wait_for(machine.begun.exists, "nginx -t")
    assert list(scratch.iterdir()), "its folder must be there"
    os.killpg(process.pid, getattr(signal, name))
    process.wait(30)
    assert not list(scratch.iterdir()), "it must remove its folder"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_answered(port):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("name", [*SIGNALS, "SIGQUIT", "SIGKILL"])
def test_serve_ends_nginx(begin, tmp_path, name):
    port = free_port()
    environment = {
        **os.environ,
        "PORT": str(port),
        "APP": str(ROOT / "examples/nginx/app.py"),
        "CALLABLE": "hello_world",
    }
    where = {"cwd": tmp_path, "env": environment, "stdout": subprocess.DEVNULL}
    process = begin(sys.executable, ROOT / "scripts/serve", **where)
    wait_for(lambda: is_answered(port), "nginx")
    process.send_signal(getattr(signal, name))
    process.wait(30)
    wait_for(lambda: not is_answered(port), "nginx to end")


PEER = """
import sys
sys.path.insert(0, sys.argv[1])
import peers
from endings import end_by_exception
end_by_exception()
with peers.start("static", sys.argv[2], port=int(sys.argv[3])) as server:
    print(server.folder, flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("name", [*SIGNALS, "SIGKILL"])
def test_servers_of_benches_end(begin, tmp_path, name):
    port = free_port()
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    process = begin(
        *(sys.executable, "-c", PEER, ROOT / "benches", tmp_path, port), env=environment, **pipes
    )
    folder = Path(process.stdout.readline().decode().strip())
    assert folder.is_dir() and is_answered(port)
    process.send_signal(getattr(signal, name))
    process.wait(30)
    wait_for(lambda: not is_answered(port), "the server to end")
    assert name == "SIGKILL" or not folder.exists()


TESTED = """
def test_it(nginx):
    server = nginx()
    print(server.prefix, server.port, flush=True)
    open({begun!r}, "w").write(f"{{server.prefix}} {{server.port}}\\n")
    server.wait_log("a line that is never written")
"""


@pytest.mark.parametrize("name", SIGNALS)
def test_the_tests_end_nginx(begin, tmp_path, name):
    begun = tmp_path / "begun"
    test = tmp_path / "test_it.py"
    test.write_text(TESTED.format(begun=str(begun)))
    (tmp_path / "conftest.py").write_text(
        f"import sys; sys.path.insert(0, {str(ROOT / 'tests/nginx')!r})\n"
        f"exec(open({str(ROOT / 'tests/nginx/conftest.py')!r}).read())\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", test]
    process = begin(*command, stdout=subprocess.DEVNULL)
    said = wait_for(lambda: begun.exists() and begun.read_text().split(), "nginx")
    os.killpg(process.pid, getattr(signal, name))
    process.wait(60)
    wait_for(lambda: not is_answered(int(said[1])), "nginx to end")
    wait_for(lambda: not Path(said[0]).exists(), "its folder to be removed")
