"""What `nginx -t` refuses, and with which words. It must not run Python."""

import os
import re
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path

import pytest

from server import MODULE, NGINX, PYTHON, Nginx

pytestmark = [
    pytest.mark.not_inline("no application runs"),
    pytest.mark.not_validated("no application runs"),
    pytest.mark.not_newer("what it names, such as /usr, belongs to the other Python"),
]

GOOD = "wsgi_app @APPS@/hello.py hello_world;"


def in_location(text):
    return {"server": "location / { %s }" % text}


def in_http(text):
    return {"http": text, "server": "location / { %s }" % GOOD}


REFUSED = {
    "a missing file": (in_location("wsgi_app @PREFIX@/none.py app;"), "none.py.*[Nn]o such file"),
    "a folder": (in_location("wsgi_app @PREFIX@/html app;"), "html.*(folder|directory)"),
    "a module without an attribute": (in_location("wsgi_app module:;"), "module:"),
    "a module alone": (in_location("wsgi_app module;"), "module"),
    "an attribute alone": (in_location("wsgi_app :app;"), ":app"),
    "an attribute that is not a name": (in_location("wsgi_app module:a-b;"), "a-b"),
    "a module that is not a name": (in_location("wsgi_app my-module:app;"), "my-module"),
    "a callable that is not a name": (in_location("wsgi_app @APPS@/hello.py 7up;"), "7up"),
    "a factory with arguments": (in_location("wsgi_app @APPS@/hello.py factory(1);"), "factory"),
    "an empty callable": (in_location('wsgi_app @APPS@/hello.py "";'), "wsgi_app"),
    "an empty file": (in_location('wsgi_app "" app;'), "wsgi_app"),
    "no parameter": (in_location("wsgi_app;"), "invalid number of arguments"),
    "three parameters": (in_location("wsgi_app a b c;"), "invalid number of arguments"),
    "two applications in a location": (in_location(GOOD + GOOD), "wsgi_app.*duplicate"),
    "an application outside a location": ({"server": GOOD}, "wsgi_app.*not allowed"),
    "an application in http": ({"http": GOOD}, "wsgi_app.*not allowed"),
    "threads of letters": (in_http("wsgi_threads many;"), "wsgi_threads|invalid number|many"),
    "negative threads": (in_http("wsgi_threads -1;"), "-1|invalid number"),
    "too many threads": (in_http("wsgi_threads 100000;"), "100000|1024"),
    "threads twice": (in_http("wsgi_threads 2; wsgi_threads 3;"), "wsgi_threads.*duplicate"),
    "threads in a server": ({"server": "wsgi_threads 2;"}, "wsgi_threads.*not allowed"),
    "a queue of letters": (in_http("wsgi_max_queue long;"), "wsgi_max_queue|invalid number"),
    "a queue twice": (in_http("wsgi_max_queue 2; wsgi_max_queue 3;"), "wsgi_max_queue.*duplicate"),
    "a size of letters": (in_http("wsgi_buffer_size big;"), "wsgi_buffer_size.*invalid"),
    "files written byte by byte": (in_http("wsgi_temp_file_write_size 1;"), "4096"),
    "a time of letters": (in_http("wsgi_read_timeout soon;"), "wsgi_read_timeout.*invalid"),
    "a negative time": (in_http("wsgi_queue_timeout -5s;"), "wsgi_queue_timeout.*invalid"),
    "too many stuck threads": (in_http("wsgi_max_stuck 1025;"), "1024"),
    "an interrupt that is neither": (in_http("wsgi_interrupt yes;"), 'it must be "on" or "off"'),
    "a time twice": (in_http("wsgi_read_timeout 1s; wsgi_read_timeout 2s;"), "duplicate"),
    "a param without value": (in_location(GOOD + "wsgi_param NAME;"), "invalid number"),
    "a param with another word": (in_location(GOOD + "wsgi_param A b when;"), "when"),
    "a param that is the library's": (in_location(GOOD + "wsgi_param wsgi.input a;"), "wsgi_param"),
    "a script name without slash": (
        in_location(GOOD + "wsgi_script_name shop;"),
        "wsgi_script_name",
    ),
    "script names twice": (
        in_location(GOOD + "wsgi_script_name /a; wsgi_script_name /b;"),
        "wsgi_script_name.*duplicate",
    ),
    "a home that is missing": (in_http("wsgi_python_home @PREFIX@/none;"), "none"),
    "a home that is a file": (in_http("wsgi_python_home @PREFIX@/nginx.conf;"), "nginx.conf"),
    "a home that is not one": (in_http("wsgi_python_home @PREFIX@/html;"), "html"),
    "homes twice": (
        in_http("wsgi_python_home /usr; wsgi_python_home /usr;"),
        "wsgi_python_home.*duplicate",
    ),
    "an unknown directive": (in_location(GOOD + "wsgi_thread 8;"), "unknown directive"),
}


@pytest.mark.parametrize("conf, words", REFUSED.values(), ids=REFUSED.keys())
def test_refused(nginx, conf, words):
    said = nginx.prepare(**conf).check()
    assert said.returncode == 1, "nginx -t must refuse it"
    emerg = [line for line in said.stderr.splitlines() if "[emerg]" in line]
    assert len(emerg) == 1, f"it must print one sentence, not {said.stderr}"
    assert re.search(words, emerg[0]), f"the sentence must name the fault: {emerg[0]}"
    assert re.search(r"nginx.conf:\d+", emerg[0]), "and where"


def test_an_unknown_variable_is_refused(nginx):
    said = nginx.prepare(**in_location(GOOD + "wsgi_param A $none;")).check()
    assert said.returncode == 1, "nginx -t must refuse it"
    assert 'unknown "none" variable' in said.stderr, "with nginx's own words"


def fake_home(prefix, version):
    home = prefix / "venv"
    (home / "bin").mkdir(parents=True)
    (home / "lib" / f"python{version}" / "site-packages").mkdir(parents=True)
    (home / "bin" / "python3").symlink_to(PYTHON)
    (home / "pyvenv.cfg").write_text(f"home = {Path(PYTHON).parent}\nversion = {version}.1\n")


def test_a_virtualenv_of_another_version_is_refused(nginx):
    prepared = nginx.prepare(**in_http("wsgi_python_home @PREFIX@/venv;"))
    fake_home(prepared.prefix, "3.4")
    said = prepared.check()
    assert said.returncode == 1, "its packages would not work"
    assert re.search(r"\[emerg\].*venv.*3\.4.*3\.\d+", said.stderr), said.stderr


def test_a_virtualenv_of_this_version_is_accepted(nginx):
    command = [PYTHON, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    version = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    prepared = nginx.prepare(**in_http("wsgi_python_home @PREFIX@/venv;"))
    fake_home(prepared.prefix, version)
    said = prepared.check()
    assert said.returncode == 0, said.stderr


def test_a_virtualenv_whose_python_is_gone_is_refused(nginx):
    prepared = nginx.prepare(**in_http("wsgi_python_home @PREFIX@/venv;"))
    fake_home(prepared.prefix, "3.11")
    (prepared.prefix / "venv/bin/python3").unlink()
    said = prepared.check()
    assert said.returncode == 1, "a virtualenv needs the Python that made it"
    assert re.search(r"\[emerg\].*venv", said.stderr), said.stderr


@pytest.fixture
def common_folder():
    """A folder that every user may write to."""
    folder = tempfile.mkdtemp(prefix="wsgi-common-")
    os.chmod(folder, 0o777)
    yield folder
    shutil.rmtree(folder)


def test_an_unreadable_file_is_refused(common_folder):
    prepared = Nginx(common_folder, **in_location("wsgi_app @PREFIX@/own.py app;"))
    prepared.write("own.py", "").chmod(0)
    conf = prepared.prefix / "nginx.conf"
    conf.write_text(conf.read_text().replace("user root;", ""))
    said = prepared.check(user="nobody" if os.getuid() == 0 else None)
    assert said.returncode == 1, "the worker cannot read it either"
    assert re.search(r"\[emerg\].*own\.py.*[Pp]ermission", said.stderr), said.stderr


def test_a_good_configuration_is_accepted(nginx):
    conf = """
        wsgi_threads 4; wsgi_max_queue 100; wsgi_queue_timeout 10s; wsgi_read_timeout 5s;
        wsgi_buffer_size 64k; wsgi_python_path @APPS@ @PREFIX@; wsgi_param A b;
        wsgi_shutdown_timeout 1s; wsgi_max_stuck 0; wsgi_interrupt on;
    """
    location = GOOD + "wsgi_param C $uri if_not_empty; wsgi_script_name /; wsgi_read_timeout 1m;"
    said = nginx.prepare("location / { %s }" % location, http=conf).check()
    assert said.returncode == 0, said.stderr


def test_nginx_t_does_not_run_python(nginx):
    prepared = nginx.prepare("location / { wsgi_app @PREFIX@/own.py app; }")
    prepared.write("own.py", "open(__file__ + '.ran', 'w')\n")
    assert prepared.check().returncode == 0, "the file exists and is readable"
    assert not (prepared.prefix / "own.py.ran").exists(), "nginx -t must not run it"


def test_the_module_alone_changes_nothing(nginx):
    server = nginx('location / { return 200 "plain"; }')
    assert server.ask("/").body == b"plain", "without wsgi_app nginx works as before"
    maps = Path(f"/proc/{server.workers()[0]}/task").iterdir()
    assert len(list(maps)) == 1, "it must not start Python"


def test_a_module_for_another_nginx_is_refused(nginx):
    version = subprocess.run([NGINX, "-v"], capture_output=True, text=True).stderr
    number = [int(part) for part in re.search(r"nginx/(\d+)\.(\d+)\.(\d+)", version).groups()]
    number = number[0] * 1_000_000 + number[1] * 1000 + number[2]
    # ngx_module_t: two indices not set, a name not set, two spares, then the version.
    before = b"\xff" * 16 + bytes(24)
    prepared = nginx.prepare()
    binary = MODULE.read_bytes()
    marked = before + struct.pack("<Q", number)
    assert binary.count(marked) == 1, "the module has the version of its nginx"
    prepared.module = prepared.prefix / "other.so"
    prepared.module.write_bytes(binary.replace(marked, before + struct.pack("<Q", number + 1)))
    prepared.write_configuration()
    said = prepared.check()
    assert said.returncode == 1, "nginx must refuse it"
    assert f"version {number + 1} instead of {number}" in said.stderr, "it names both versions"


def test_a_module_without_its_python_is_refused(nginx):
    needed = re.search(rb"libpython3\.\d+\.so\.1\.0", MODULE.read_bytes())[0]
    absent = needed.replace(b"libpython", b"libabsent")
    prepared = nginx.prepare()
    prepared.module = prepared.prefix / "other.so"
    prepared.module.write_bytes(MODULE.read_bytes().replace(needed, absent))
    prepared.write_configuration()
    said = prepared.check()
    assert said.returncode == 1, "nginx cannot load a module without its library"
    assert absent.decode() in said.stderr, "it names the missing library"


def test_the_module_exports_only_the_symbols_of_nginx():
    listed = subprocess.run(["nm", "-D", "--defined-only", MODULE], capture_output=True, text=True)
    names = {line.split()[-1] for line in listed.stdout.splitlines()}
    wanted = {"ngx_modules", "ngx_module_names", "ngx_module_order"}
    assert names == wanted, "no symbol may conflict with another module"
