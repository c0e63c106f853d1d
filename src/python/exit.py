"""The end of a Python that is not finalised, as near to CPython's as can be, within a limit of time.

CPython waits for the threads that are no daemons, which ends executors too, then runs the functions of
atexit, which wait for the processes of multiprocessing, then destroys what there is, which flushes
files, closes compressed ones and removes temporary ones.
"""

import _thread
import atexit
import gc
import io
import os
import stat
import sys
import threading
import time
import traceback


def end(seconds, report, done):
    """Does all of it in at most so many seconds, on the main thread, whose part it is to wait for the
    others. If they take too long another thread does the rest, and calls `done`.

    `report` is called with the names of the threads that have not ended, and how many processes were
    ended, as soon as that is known.
    """
    until = time.monotonic() + seconds - min(seconds / 20, 0.1)
    rest = min(seconds / 4, 1.0)  # for what comes after the threads
    left = Left(report)
    joined, turn = _thread.allocate_lock(), _thread.allocate_lock()
    joined.acquire()

    def take_over():
        if wait(joined, until - rest) or not turn.acquire(False):
            return
        left.tell(running(), end_pools())
        finish(until - rest / 2, left)
        if wait(joined, until):
            flush_files()
            left.tell([], 0)
        done()

    other = started(take_over)
    threading._shutdown()
    joined.release()
    if turn.acquire(False):
        finish(until - rest / 2, left)
    else:
        wait(other, until)


class Left:
    """What is told, more than once."""

    def __init__(self, report):
        self.report, self.threads, self.processes = report, [], 0

    def tell(self, threads, processes):
        self.threads, self.processes = threads, self.processes + processes
        self.report(self.threads, self.processes)


def finish(until, left):
    """What comes after the threads."""
    finished = _thread.allocate_lock()
    finished.acquire()

    def cut_off():
        # A function of atexit may hang, and files should not suffer by that.
        if not wait(finished, until):
            flush_files()
            left.tell(left.threads, end_processes())

    started(cut_off)
    atexit._run_exitfuncs()
    flush_files()
    close_files()
    remove_files()
    finished.release()


def started(work):
    """Runs `work` on a thread of which `threading` knows nothing; a lock that is free afterwards."""
    lock = _thread.allocate_lock()
    lock.acquire()

    def run():
        try:
            work()
        except BaseException:
            traceback.print_exc()
        finally:
            lock.release()

    _thread.start_new_thread(run, ())
    return lock


def wait(lock, until):
    return lock.acquire(timeout=max(0.0, until - time.monotonic()))


def running():
    """Those of the application: what `threading` has not made are the library's own."""
    others = (threading._MainThread, threading._DummyThread)
    threads = threading.enumerate()
    return [it.name for it in threads if not it.daemon and not isinstance(it, others)]


def objects(kind):
    """All there are of a class. What only says that it is one is left alone: asking runs code."""
    return [it for it in gc.get_objects() if issubclass(type(it), kind)]


def of_module(module, name):
    found = getattr(sys.modules.get(module), name, None)
    return objects(found) if isinstance(found, type) else []


def end_pools():
    """Of executors whose jobs have not ended: their processes would wait for more, for ever."""
    pools = of_module("concurrent.futures.process", "ProcessPoolExecutor")
    return sum(terminated((pool._processes or {}).values()) for pool in pools)


def end_processes():
    """Those that a function of atexit still waits for: nobody will, once this process is gone."""
    return terminated(getattr(sys.modules.get("multiprocessing.process"), "_children", ()))


def terminated(children):
    ended = [child for child in list(children) if child._popen and child._popen.poll() is None]
    for child in ended:
        child._popen.terminate()
    return len(ended)


def flush_files():
    """Text before the bytes below it, and files before what may have to wait for a reader."""
    found = objects(io.IOBase)
    found.sort(key=lambda it: (not is_regular(it), not issubclass(type(it), io.TextIOBase)))
    for it in found:
        try:
            if not it.closed:
                it.flush()
        except Exception:
            pass  # as at the end of any Python


def close_files():
    """Those that write something at their end, which a flush does not: what compresses, archives. Their
    classes are written in Python; what is below them is in C, and is flushed then."""
    found = [it for it in objects(io.IOBase) if type(it).__module__ not in ("_io", "wsgi")]
    found += of_module("zipfile", "ZipFile") + of_module("shelve", "Shelf")
    for it in found:
        try:
            it.close()
        except Exception:
            pass
    flush_files()


def is_regular(file):
    try:
        return stat.S_ISREG(os.fstat(file.fileno()).st_mode)
    except Exception:
        return False


def remove_files():
    for closer in of_module("tempfile", "_TemporaryFileCloser"):
        try:
            getattr(closer, "cleanup", closer.close)()
        except Exception:
            pass
