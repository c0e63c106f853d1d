"""Does what disturbs a process: children, forks, signals. Answers with repr() of the result.

/exit_code       the exit code of a child that ends with 3, by Popen.wait()
/output          the output of a child, by subprocess.run()
/child_signals   the signals that a child finds blocked, and ignored
/fork            forks a child that waits at the gate of the query string; the child's pid
/background      a shell starts a command that waits at the gate, and leaves it behind
/fork_returns    forks; the child returns from the application as if it were the server
/environment     os.environ                     /executable      sys.executable, and its output
/signal          signal.signal() on a pool thread
/handlers        SIGTERM and SIGCHLD as Python sees them
/argv            sys.argv                       /prefix          sys.prefix
/path            sys.path                       /pid             os.getpid()
/main            the name of the thread, and whether it is the main one
"""

import os
import signal
import subprocess
import sys
import threading
from urllib.parse import unquote

SIGNALS = """
lines = [line.split() for line in open('/proc/self/status')]
print([line[1] for line in lines if line[0] in ('SigBlk:', 'SigIgn:')])
"""


def exit_code(query):
    return subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"]).wait()


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def fork(query):
    child = os.fork()
    if child == 0:
        open(query, "rb").read()
        os._exit(0)
    return child


def fork_returns(query):
    child = os.fork()
    if child == 0:
        return "the child answers"
    return "the parent answers" if os.waitpid(child, 0)[0] == child else "no child"


def set_signal(query):
    try:
        return signal.signal(signal.SIGTERM, signal.SIG_IGN) and "set"
    except ValueError as error:
        return f"ValueError: {error}"


ENDPOINTS = {
    "exit_code": exit_code,
    "output": lambda query: run(sys.executable, "-c", "print('from the child')"),
    "child_signals": lambda query: run(sys.executable, "-S", "-c", SIGNALS),
    "fork": fork,
    "background": lambda query: os.system(f"cat {query} >/dev/null 2>&1 &"),
    "fork_returns": fork_returns,
    "environment": lambda query: dict(os.environ),
    "executable": lambda query: [
        sys.executable,
        run(sys.executable, "-c", "import sys; print(sys.version_info[:2])"),
        str(sys.version_info[:2]),
    ],
    "signal": set_signal,
    "handlers": lambda query: [
        signal.getsignal(signal.SIGTERM) is not signal.default_int_handler,
        str(signal.getsignal(signal.SIGCHLD)),
    ],
    "argv": lambda query: sys.argv,
    "prefix": lambda query: sys.prefix,
    "path": lambda query: sys.path,
    "pid": lambda query: os.getpid(),
    "main": lambda query: [
        threading.current_thread().name,
        threading.current_thread() is threading.main_thread(),
    ],
}


def app(environ, start_response):
    shown = ENDPOINTS[environ["PATH_INFO"].strip("/")](unquote(environ["QUERY_STRING"]))
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [repr(shown).encode()]
