"""Other WSGI servers, and ours, to be compared: installed in a scratch folder, run one at a time.

    peers.install(["granian"])              # {} or {"granian": why it could not be installed}
    application = peers.Application("/srv/app.py", "hello_world")
    with peers.start("granian", application, threads=8) as server:
        ... server.address, server.pids(), server.log()

Everything is below build/peers and in temporary folders; servers listen on 127.0.0.1 or on a unix
socket, run in the foreground as children of this process, and are ended by their process ids.
"""

from .install import install, version_of
from .process import Application, CannotStart, Server
from .servers import SERVERS, start, why_missing

__all__ = [
    "SERVERS",
    "Application",
    "CannotStart",
    "Server",
    "install",
    "start",
    "version_of",
    "why_missing",
]
