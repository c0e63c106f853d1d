"""Its import waits for the end of the pipe that WSGI_TEST_PIPE names."""

import os

open(os.environ["WSGI_TEST_PIPE"], "rb").read()


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"imported"]
