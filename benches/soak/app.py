"""What the soak test measures of a worker: its process id, and how many objects Python holds."""

import gc
import os


def app(environ, start_response):
    gc.collect()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Connection", "close")])
    return [f"{os.getpid()} {len(gc.get_objects())}".encode()]
