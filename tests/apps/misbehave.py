"""Does to its process what a polite application does not. The query string is the argument.

/exit?N          prints a line, then os._exit(N)     /segfault        reads at address 0
/abort           os.abort()                          /overflow        recursion without Python's limit
/fork_exit?N     a child ends by os._exit(N)         /fork_segfault   a child crashes; their statuses
/fork_signal?N   sends signal N to a child; its status
/mp_fork         multiprocessing with fork           /mp_spawn        the same with spawn
/popen           os.popen() and os.system(): the output of a command, and the status
/system_kill     os.system() of a command that kills itself; its status
/close           closes descriptors 0, 1 and 2, by close() and by closerange()
/stderr          writes to descriptor 2
/chdir?PATH      os.chdir()                          /cwd             os.getcwd()
/threads         two threads, one of them a daemon, print and end
/mutual          two functions call each other without end
/flood?N         prints N lines of 900 letters, each with its number
/ok              "ok"
"""

import ctypes
import multiprocessing
import os
import threading
from urllib.parse import unquote


def exit_(query):
    print("the last line that was printed")
    os._exit(int(query))


def segfault(query=""):
    ctypes.string_at(0)


def overflow(query):
    """Calls itself through C, so that the stack of the thread ends before Python's own limit."""
    compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)
    again = compare(lambda depth: again(depth + 1))
    import sys

    sys.setrecursionlimit(1 << 30)
    return again(0)


def child(work):
    pid = os.fork()
    if pid == 0:
        work()
        os._exit(99)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def fork_signal(query):
    """The child prints, then waits for the parent's death, which does not come."""
    alive, says = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(says, b"!")
        threading.Event().wait(15)
        os._exit(99)
    os.read(alive, 1)
    os.close(alive)
    os.close(says)
    os.kill(pid, int(query))
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def double(number):
    return 2 * number


def processes(method):
    with multiprocessing.get_context(method).Pool(2) as pool:
        return pool.map(double, [1, 2, 3])


def popen(query):
    with os.popen("echo from a command") as pipe:
        said = pipe.read()
    return [said, os.waitstatus_to_exitcode(os.system("exit 7"))]


def close(query):
    for descriptor in range(3):
        os.close(descriptor)
    os.closerange(0, 3)
    return [os.path.exists(f"/proc/self/fd/{descriptor}") for descriptor in range(3)]


def threads(query):
    made = [
        threading.Thread(target=print, args=(f"thread daemon={daemon}",), daemon=daemon)
        for daemon in (True, False)
    ]
    for thread in made:
        thread.start()
    for thread in made:
        thread.join()
    return len(made)


def mutual(query):
    return other(query)


def other(query):
    return mutual(query)


def flood(query):
    for number in range(int(query)):
        print(f"flood {number} ".ljust(899, "x") + ".")


ENDPOINTS = {
    "exit": exit_,
    "segfault": segfault,
    "abort": lambda query: os.abort(),
    "overflow": overflow,
    "fork_exit": lambda query: child(lambda: os._exit(int(query))),
    "fork_segfault": lambda query: child(segfault),
    "fork_signal": fork_signal,
    "mp_fork": lambda query: processes("fork"),
    "mp_spawn": lambda query: processes("spawn"),
    "popen": popen,
    "system_kill": lambda query: os.system("kill -9 $$"),
    "close": close,
    "stderr": lambda query: os.write(2, (query + "\n").encode()),
    "chdir": os.chdir,
    "cwd": lambda query: os.getcwd(),
    "threads": threads,
    "mutual": mutual,
    "flood": flood,
    "ok": lambda query: "ok",
}


def app(environ, start_response):
    shown = ENDPOINTS[environ["PATH_INFO"].strip("/")](unquote(environ["QUERY_STRING"]))
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [repr(shown).encode()]
