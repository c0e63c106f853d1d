"""Its import waits until the pipe that WSGI_TEST_PIPE names is closed."""

import os

open(os.environ["WSGI_TEST_PIPE"], "rb").read()


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"imported"]
