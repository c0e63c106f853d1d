"""Runs a server that is a function to call: launch.py SERVER ADDRESS THREADS FILE CALLABLE.

ADDRESS is a port of 127.0.0.1, or the path of a unix socket.
"""

import importlib
import pathlib
import sys


def run_wsgiref(application, address, _):
    from wsgiref.simple_server import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        def log_message(self, *_):
            pass

    make_server("127.0.0.1", int(address), application, handler_class=Quiet).serve_forever()


def run_bjoern(application, address, _):
    import bjoern

    if address.isdigit():
        bjoern.run(application, "127.0.0.1", int(address))
    else:
        bjoern.run(application, f"unix:{address}")


def run_fastwsgi(application, address, _):
    import fastwsgi

    fastwsgi.run(application, "127.0.0.1", int(address))


def run_pyruvate(application, address, threads):
    import pyruvate

    pyruvate.serve(application, f"127.0.0.1:{address}" if address.isdigit() else address, threads)


def run_socketify(application, address, _):
    from socketify import WSGI, AppListenOptions

    server = WSGI(application)
    server.listen(AppListenOptions(port=int(address), host="127.0.0.1"), lambda _: None)
    server.run()


def main():
    server, address, threads, file, name = sys.argv[1:]
    module = importlib.import_module(pathlib.Path(file).stem)
    globals()[f"run_{server}"](getattr(module, name), address, int(threads))


if __name__ == "__main__":
    main()
