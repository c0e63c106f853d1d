"""A worker ends as a Python program does, with threads, executors and files, in a time limit."""

import gzip
import lzma
import signal
import time
import zipfile

import pytest

from server import wait_for

pytestmark = pytest.mark.not_validated("the applications are not those of tests/apps")

CONF = "location / { wsgi_app @PREFIX@/ends.py app; }"
HEAD = """
import atexit, concurrent.futures, multiprocessing, os, tempfile, threading, time
HERE = os.path.dirname(__file__)

def say(word):
    with open(HERE + "/said", "a") as file:
        file.write(word + "\\n")

def later(seconds, word):
    time.sleep(seconds)
    say(word)

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [repr(work()).encode()]

def work():
"""
WORK = """
    global journal, temporary, folder
    jobs = concurrent.futures.ThreadPoolExecutor(1)
    for number in range(4):
        jobs.submit(later, 0.1, f"job {number}")
    threading.Thread(target=later, args=(0.8, "thread")).start()
    threading.Thread(target=later, args=(30, "daemon"), daemon=True).start()
    atexit.register(say, "atexit")
    journal = open(HERE + "/journal", "a")
    journal.write("not flushed yet")
    temporary = tempfile.NamedTemporaryFile(dir=HERE, prefix="temporary")
    folder = tempfile.TemporaryDirectory(dir=HERE, prefix="temporary")
"""
POOL = """
    global pool
    pool = concurrent.futures.ProcessPoolExecutor(2)
    list(pool.map(abs, [-1, -2]))
    return [child.pid for child in multiprocessing.active_children()]
"""
BUSY = """
    global pool, journal
    journal = open(HERE + "/journal", "a")
    journal.write("not flushed yet")
    atexit.register(say, "atexit")
    pool = concurrent.futures.ProcessPoolExecutor(1)
    pool.submit(time.sleep, 60)
    jobs = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="mails")
    jobs.submit(time.sleep, 60)
    threading.Thread(target=time.sleep, args=(60,), name="poller").start()
    while not multiprocessing.active_children():
        time.sleep(0.01)
    return [child.pid for child in multiprocessing.active_children()]
"""
PROCESS = """
    process = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
    process.start()
    return process.pid
"""
COMPRESSED = """
    global files, text, archive
    import gzip, io, lzma, zipfile
    raw = open(HERE + "/raw.gz", "wb")
    files = [gzip.open(HERE + "/file.gz", "wb"), gzip.GzipFile(fileobj=raw, mode="wb")]
    files.append(lzma.open(HERE + "/file.xz", "wb"))
    for file in files:
        file.write(b"not finished yet")
    text = io.TextIOWrapper(gzip.open(HERE + "/text.gz", "wb"))
    text.write("not finished yet")
    archive = zipfile.ZipFile(HERE + "/archive.zip", "w")
    archive.writestr("name", "not finished yet")
"""
HANGS = """
    global journal
    journal = open(HERE + "/journal", "a")
    journal.write("not flushed yet")
    atexit.register(time.sleep, 60)
"""


def prepare(nginx, work, timeout="10s"):
    http = f"wsgi_shutdown_timeout {timeout};"
    return nginx(CONF, http=http, files=[("ends.py", HEAD + work)])


def read(server, name):
    path = server.prefix / name
    return path.read_text() if path.exists() else ""


def is_alive(pid):
    try:
        return open(f"/proc/{pid}/stat").read().split(") ")[1][0] != "Z"
    except FileNotFoundError:
        return False


def end(server, number=signal.SIGQUIT):
    begin = time.monotonic()
    assert server.stop(number) == 0
    return time.monotonic() - begin


def test_an_end_without_work_takes_no_time(nginx):
    server = prepare(nginx, "    pass\n", "60s")
    assert server.ask("/").status == 200
    assert end(server) < 3, "much less than the limit of 60 seconds"
    assert not server.log_lines("WSGI0003")


@pytest.mark.parametrize("number", [signal.SIGQUIT, signal.SIGTERM])
def test_begun_work_is_finished(nginx, number):
    server = prepare(nginx, WORK)
    assert server.ask("/").status == 200
    assert end(server, number) < 8
    said = read(server, "said").split("\n")
    assert {f"job {n}" for n in range(4)} < set(said), "the executor must finish its jobs"
    assert said[-2:] == ["atexit", ""] and "thread" in said and "daemon" not in said, "then atexit"
    assert read(server, "journal") == "not flushed yet", "files must be flushed"
    assert not list(server.prefix.glob("temporary*")), "temporary files must be removed"
    assert not server.log_lines("WSGI0003"), "no work may be cut off"


def test_the_processes_of_a_pool_end(nginx):
    server = prepare(nginx, POOL)
    children = eval(server.ask("/").body)
    assert len(children) == 2 and all(is_alive(pid) for pid in children)
    assert end(server) < 8, "the worker ends them, and waits for them"
    wait_for(lambda: not any(is_alive(pid) for pid in children), "the pool's processes to end")
    assert not server.log_lines("WSGI0003")


def test_work_beyond_the_limit_is_cut_off_and_counted(nginx):
    server = prepare(nginx, BUSY, "4s")
    server.expect("WSGI0003")
    children = eval(server.ask("/").body)
    assert end(server) < 10
    line = server.wait_log("WSGI0003 stopped after")[0]
    assert "threads were still running" in line and "poller" in line and "mails_0" in line, line
    assert "process was ended" in line or "processes were ended" in line
    assert "exit handlers" not in line, "these must have run"
    assert read(server, "said") == "atexit\n" and read(server, "journal") == "not flushed yet"
    wait_for(lambda: not any(is_alive(pid) for pid in children), "the pool's process to end")


def test_a_process_that_does_not_end_is_ended_and_counted(nginx):
    server = prepare(nginx, PROCESS, "4s")
    server.expect("WSGI0003")
    child = eval(server.ask("/").body)
    assert end(server) < 6.5, "multiprocessing waits for it, but must stop waiting"
    line = server.wait_log("WSGI0003 stopped after")[0]
    assert "1 process was ended" in line and "exit handlers" not in line, line
    wait_for(lambda: not is_alive(child), "the process to end")


def test_compressed_files_are_finished(nginx):
    server = prepare(nginx, COMPRESSED)
    assert server.ask("/").status == 200
    assert end(server) < 8
    for name, module in [("file.gz", gzip), ("raw.gz", gzip), ("text.gz", gzip), ("file.xz", lzma)]:
        data = module.decompress((server.prefix / name).read_bytes())
        assert data == b"not finished yet", f"{name}, as at the end of any Python"
    with zipfile.ZipFile(server.prefix / "archive.zip") as archive:
        assert archive.read("name") == b"not finished yet"


def test_files_do_not_wait_for_a_handler_that_hangs(nginx):
    server = prepare(nginx, HANGS, "4s")
    server.expect("WSGI0003")
    assert server.ask("/").status == 200
    assert end(server) < 10
    server.wait_log("WSGI0003 stopped after", "Python's exit handlers did not end")
    assert read(server, "journal") == "not flushed yet"
