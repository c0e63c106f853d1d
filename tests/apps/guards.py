"""Calls what the library guards, in a request. Answers with repr() of the result.

/exec?WAY        os.execv and its like, named by WAY: the program is /bin/true, or does not exist
/kill?NAME       os.kill(os.getpid(), SIGNAME)       /raise?NAME      signal.raise_signal(SIGNAME)
/group?NAME      os.killpg, os.kill of the own group
/everything      closes every descriptor, one by one and by closerange
/sockets         closes every descriptor by socket.close
/onto            os.dup2 onto a listener, onto 1 and onto 2
/wrong           what guarded functions raise for wrong arguments, and what Python's own raise
/reopens         os.fdopen of standard descriptors, as programs do; then Python drops the files
/closes          closes standard error by a file object
/limits          lowers and raises limits of the process
/users           changes to another user and group, if it is root
/later           makes faulthandler end the process in an hour, and cancels that
/others?NAME     os.kill of the server's other processes, with SIGNAME
/pidfd?NAME      signal.pidfd_send_signal to this process
/c_exit?WAY      exit() of C: here, on a thread, or a fatal error of Python
/masks           blocks signals on this thread; the masks of this thread and of a child
/interrupts      _thread.interrupt_main
/main            whether this is the main thread, by signal.signal and by asyncio
/timers          setitimer and alarm, then computes until they would have fired
/ok              "ok"
"""

import _thread
import asyncio
import contextlib
import ctypes
import faulthandler
import os
import posix
import resource
import signal
import socket
import subprocess
import sys
import threading
import time

PROGRAM = ["/bin/true", "and", "words"]
EXECS = {
    "execv": lambda: os.execv("/bin/true", PROGRAM),
    "execve": lambda: os.execve("/bin/true", PROGRAM, {}),
    "execl": lambda: os.execl("/bin/true", *PROGRAM),
    "execvp": lambda: os.execvp("true", PROGRAM),
    "posix": lambda: posix.execv(b"/bin/true", PROGRAM),
    "posix_exit": lambda: posix._exit(2),
    "descriptor": lambda: os.execve(os.open("/bin/true", os.O_RDONLY), PROGRAM, {}),
    "none": lambda: os.execv("/nowhere/true", PROGRAM),
    "folder": lambda: os.execv("/bin", PROGRAM),
    "nonep": lambda: os.execvp("no-such-program-anywhere", PROGRAM),
}
WRONG = [
    (os._exit, ()),
    (os._exit, ("1",)),
    (os._exit, (1, 2)),
    (os.close, ()),
    (os.close, (1, 2)),
    (os.close, ("1",)),
    (os.closerange, (1,)),
    (os.closerange, (1, "2")),
    (os.dup2, (1,)),
    (os.dup2, (1, "2")),
    (os.system, ()),
    (os.system, (1,)),
    (os.execv, ("/bin/true",)),
    (os.execv, ("/bin/true", [])),
    (os.execv, ("/bin/true", "true")),
    (os.execv, (None, PROGRAM)),
    (os.execve, ("/bin/true", PROGRAM, 1)),
    (os.kill, (1,)),
    (os.kill, ("1", 2)),
    (os.killpg, (1,)),
    (signal.signal, (1,)),
    (signal.signal, (signal.SIGTERM, "x")),
    (signal.siginterrupt, (1,)),
    (signal.siginterrupt, (1000, True)),
    (signal.set_wakeup_fd, ()),
    (signal.set_wakeup_fd, ("x",)),
    (signal.alarm, ("x",)),
    (signal.setitimer, (1,)),
    (signal.setitimer, (99, 1)),
    (signal.setitimer, (signal.ITIMER_PROF, "1")),
    (signal.setitimer, (signal.ITIMER_PROF, -1)),
    (signal.pthread_sigmask, (1,)),
    (signal.pthread_sigmask, (99, [])),
    (signal.pthread_sigmask, (signal.SIG_BLOCK, [1000])),
    (signal.pthread_sigmask, (signal.SIG_BLOCK, ["x"])),
    (signal.pthread_sigmask, (signal.SIG_BLOCK, 1)),
    (signal.pidfd_send_signal, (0,)),
    (signal.pidfd_send_signal, (0, signal.SIGTERM)),
    (signal.pidfd_send_signal, ("x", signal.SIGTERM)),
    (_thread.interrupt_main, (1000,)),
    (_thread.interrupt_main, ("x",)),
    (socket.close, ()),
    (socket.close, ("x",)),
    (os.setuid, ("x",)),
    (os.setuid, ()),
    (os.setgroups, (1,)),
    (os.chroot, ("/nowhere",)),
    (resource.setrlimit, (resource.RLIMIT_CORE,)),
    (resource.setrlimit, (1000, (0, 0))),
    (resource.setrlimit, (resource.RLIMIT_CORE, 0)),
    (resource.prlimit, (0, 1000, (0, 0))),
    (faulthandler.dump_traceback_later, ("x",)),
    (faulthandler.dump_traceback_later, (-1,)),
    (signal.raise_signal, ()),
    (signal.raise_signal, (1000,)),
    (faulthandler.register, ()),
    (faulthandler.register, ("x",)),
    (faulthandler.register, (signal.SIGSEGV,)),
]


def raised(call, *args):
    try:
        return repr(call(*args))
    except BaseException as error:
        return f"{type(error).__name__}: {error}"


def kill(query):
    os.kill(os.getpid(), getattr(signal, f"SIG{query}"))


def raise_(query):
    signal.raise_signal(getattr(signal, f"SIG{query}"))


def group(query):
    number = getattr(signal, f"SIG{query}")
    calls = [(os.killpg, 0), (os.killpg, os.getpgrp()), (os.kill, 0), (os.kill, -os.getpgrp())]
    return [raised(call, which, number) for call, which in calls] + [raised(os.kill, 0, 0)]


def everything(query):
    before = set(os.listdir("/proc/self/fd"))
    for number in range(3, 1024):
        with contextlib.suppress(OSError):
            os.close(number)
    os.closerange(3, 1024)
    return sorted(int(number) for number in before - set(os.listdir("/proc/self/fd")))


def sockets(query):
    before = set(os.listdir("/proc/self/fd"))
    for number in range(3, 1024):
        with contextlib.suppress(OSError):
            socket.close(number)
    return sorted(int(number) for number in before - set(os.listdir("/proc/self/fd")))


def reopens(query):
    file = os.fdopen(sys.stdout.fileno(), "w", 1)
    file.write("written to the descriptor\n")
    file.close()
    os.fdopen(0).close()
    os.fdopen(1, mode="w").close()
    return [os.path.exists(f"/proc/self/fd/{number}") for number in range(3)]


def closes(query):
    open(2, "w").close()


def limits(query):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft - 1, hard))
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    resource.prlimit(0, resource.RLIMIT_CORE, (0, 0))
    resource.prlimit(os.getpid(), resource.RLIMIT_CORE)
    child = subprocess.Popen(["sleep", "60"])
    resource.prlimit(child.pid, resource.RLIMIT_NOFILE, (64, 64))
    child.kill()
    child.wait()


def users(query):
    os.seteuid(os.geteuid())
    if os.geteuid() == 0:
        os.setresgid(-1, 1, -1)
        os.setresuid(-1, 1, -1)
        os.setresuid(-1, 0, -1)
        os.setresgid(-1, 0, -1)
    return os.geteuid()


def later(query):
    faulthandler.dump_traceback_later(3600)
    faulthandler.dump_traceback_later(3600, exit=True)
    faulthandler.cancel_dump_traceback_later()


def others(query):
    number = getattr(signal, f"SIG{query}", 0)
    children = f"/proc/{os.getppid()}/task/{os.getppid()}/children"
    with open(children) as file:
        workers = [int(pid) for pid in file.read().split()]
    os.kill(os.getppid(), number)
    for pid in workers:
        if pid != os.getpid():
            os.kill(pid, number)
    child = subprocess.Popen(["sleep", "60"])
    os.kill(child.pid, signal.SIGTERM)
    return child.wait()


def pidfd(query):
    signal.pidfd_send_signal(os.pidfd_open(os.getpid()), getattr(signal, f"SIG{query}"))


def c_exit(query):
    c = ctypes.CDLL(None)
    ways = {
        "here": lambda: c.exit(2),
        "thread": lambda: threading.Thread(target=lambda: c.exit(2)).start() or time.sleep(60),
        "fatal": lambda: ctypes.pythonapi.Py_FatalError(b"an extension gives up"),
    }
    ways[query]()


def masks(query):
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGQUIT, signal.SIGRTMIN})
    now = signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return [number.name if hasattr(number, "name") else number for number in sorted(now)]


def interrupts(query):
    _thread.interrupt_main()
    _thread.interrupt_main(signal.SIGTERM)


def onto(query):
    listener = int(query)
    kept = os.dup(2)
    null = os.open("/dev/null", os.O_WRONLY)
    results = [raised(os.dup2, null, number) for number in (listener, 1, 2)]
    os.dup2(kept, 2)
    os.close(null)
    os.close(kept)
    return results


def main(query):
    async def takes_signals():
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, print)

    calls = [
        lambda: signal.signal(signal.SIGUSR2, signal.getsignal(signal.SIGUSR2)),
        lambda: signal.set_wakeup_fd(1),
        lambda: signal.siginterrupt(signal.SIGUSR2, False),
        lambda: asyncio.run(takes_signals()),
    ]
    return [raised(call) for call in calls]


def timers(query):
    for which in (signal.ITIMER_PROF, signal.ITIMER_VIRTUAL, signal.ITIMER_REAL):
        signal.setitimer(which, 0.01, 0.01)
    signal.alarm(1)
    end = time.process_time() + 0.1
    while time.process_time() < end:
        pass
    whiches = (signal.ITIMER_PROF, signal.ITIMER_VIRTUAL, signal.ITIMER_REAL)
    return [signal.getitimer(which) for which in whiches]


ENDPOINTS = {
    "exec": lambda query: raised(EXECS[query]),
    "kill": kill,
    "raise": raise_,
    "group": group,
    "everything": everything,
    "onto": onto,
    "sockets": sockets,
    "reopens": reopens,
    "closes": closes,
    "limits": limits,
    "users": users,
    "later": later,
    "others": others,
    "pidfd": pidfd,
    "c_exit": c_exit,
    "masks": masks,
    "interrupts": interrupts,
    "wrong": lambda query: [
        (f"{function.__name__}{args}", raised(function, *args), raised(function.__wrapped__, *args))
        for function, args in WRONG
    ],
    "main": main,
    "timers": timers,
    "ok": lambda query: "ok",
}


def app(environ, start_response):
    shown = ENDPOINTS[environ["PATH_INFO"].strip("/")](environ["QUERY_STRING"])
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [repr(shown).encode()]
