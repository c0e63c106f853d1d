"""Makes the thread that has forked the main thread of the child, as Python itself does since 3.12.

If `threading` has not made that thread, an older Python does only half of it. Code that waits for
the threads of the child then fails, as multiprocessing does at its end.
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


# Runs after what `threading` has registered.
os.register_at_fork(after_in_child=become_main_thread)
