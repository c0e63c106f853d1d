"""The canonical application, and the other forms that one can be named by.

hello_world      "Hello world!", as the README has it
site.front.app   the same behind a dotted name
factory()        an application made by a call
"""


def hello_world(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"Hello world!"]


class site:
    class front:
        app = staticmethod(hello_world)


def factory():
    def made(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"made by a factory"]

    return made
