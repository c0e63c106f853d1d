"""What `threading` makes of the thread that has forked, where Python itself does not yet (before 3.12).

It is the main thread of the child. If `threading` has not made it, Python leaves half of that undone,
and what waits for the threads of the child, as multiprocessing does at its end, fails.
"""

import os
import threading


def become_main_thread():
    thread = threading.current_thread()
    if isinstance(thread, threading._DummyThread):
        thread.__class__ = threading._MainThread
        thread._name = "MainThread"
        thread._daemonic = False
        thread._set_tstate_lock()


# Behind what `threading` has registered.
os.register_at_fork(after_in_child=become_main_thread)
