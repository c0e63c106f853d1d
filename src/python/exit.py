"""The end of a Python that is not finalised, as close to CPython's as possible, in limited time.

CPython first waits for the threads that are not daemons, which ends executors too. Then it runs the
functions of atexit, which wait for the processes of multiprocessing. Then it destroys all objects,
which flushes files, closes compressed ones and removes temporary ones.
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
    """Does all of it in at most `seconds`, on the main thread, which must wait for the others. If
    they take too long another thread does the rest, and calls `done`.

    It calls `report` with the names of the threads that have not ended, and the number of processes
    that it has ended, as soon as that is known.
    """
    until = time.monotonic() + seconds - min(seconds / 20, 0.1)
    rest = min(seconds / 4, 1.0)  # for what comes after the threads
    left = Left(report)
    joined, turn = _thread.allocate_lock(), _thread.allocate_lock()
    joined.acquire()

    def take_over():
        if wait(joined, until - rest) or not turn.acquire(False):
            return
        left.add(running(), end_pools())
        finish(until - rest / 2, left)
        if wait(joined, until):
            flush_files()
            left.add([], 0)
        done()

    other = started(take_over)
    threading._shutdown()
    joined.release()
    if turn.acquire(False):
        finish(until - rest / 2, left)
    else:
        wait(other, until)


class Left:
    """What is reported, more than once."""

    def __init__(self, report):
        self.report, self.threads, self.processes = report, [], 0

    def add(self, threads, processes):
        self.threads, self.processes = threads, self.processes + processes
        self.report(self.threads, self.processes)


def finish(until, left):
    """Does what comes after the threads."""
    finished = _thread.allocate_lock()
    finished.acquire()

    def cut_off():
        # A function of atexit may hang. Files must be flushed nevertheless.
        if not wait(finished, until):
            flush_files()
            left.add(left.threads, end_processes())

    started(cut_off)
    atexit._run_exitfuncs()
    flush_files()
    close_files()
    remove_files()
    finished.release()


def started(work):
    """Runs `work` on a thread that `threading` does not know. Returns a lock, free afterwards."""
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
    """The names of the application's threads. `threading` has not made those of the library."""
    others = (threading._MainThread, threading._DummyThread)
    threads = threading.enumerate()
    return [it.name for it in threads if not it.daemon and not isinstance(it, others)]


def objects(kind):
    """All objects of a class. `isinstance` would run code of objects that only claim to be one."""
    return [it for it in gc.get_objects() if issubclass(type(it), kind)]


def of_module(module, name):
    found = getattr(sys.modules.get(module), name, None)
    return objects(found) if isinstance(found, type) else []


def end_pools():
    """Ends the processes of executors whose jobs have not ended: they would wait for more jobs."""
    pools = of_module("concurrent.futures.process", "ProcessPoolExecutor")
    return sum(terminated((pool._processes or {}).values()) for pool in pools)


def end_processes():
    """Ends the processes that a function of atexit still waits for, since this process ends."""
    return terminated(getattr(sys.modules.get("multiprocessing.process"), "_children", ()))


def terminated(children):
    ended = [child for child in list(children) if child._popen and child._popen.poll() is None]
    for child in ended:
        child._popen.terminate()
    return len(ended)


def flush_files():
    """Flushes text before the bytes below it, and files before what may wait for a reader."""
    found = objects(io.IOBase)
    found.sort(key=lambda it: (not is_regular(it), not issubclass(type(it), io.TextIOBase)))
    for it in found:
        try:
            if not it.closed:
                it.flush()
        except Exception:
            pass  # as at the end of any Python


def close_files():
    """Closes the files that write something at their end, which a flush does not do: those that
    compress or archive. Their classes are written in Python. The files below them are in C, and are
    flushed then."""
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
