"""The canonical application, and applications with other forms of names.

hello_world      "Hello world!", the application of the README
site.front.app   the same with a dotted name
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
