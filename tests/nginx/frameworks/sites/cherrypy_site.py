"""A CherryPy application: the paths of pieces.py, and a session.

The application never starts CherryPy's engine, which is its own server. `app` uses the SCRIPT_NAME
of the request; `tree` has a fixed path for its application.
"""

import asyncio
import logging
from urllib.parse import quote

import cherrypy
import pieces
from cherrypy.lib import static

# The sites share one Python. This setting is for a server that is not CherryPy's.
cherrypy.config.update({"environment": "embedded"})
cherrypy.config.update({"request.show_tracebacks": pieces.DEBUG})


class Deep:
    @cherrypy.expose
    def index(self):
        return "deep"


class Site:
    deep = Deep()

    @cherrypy.expose
    @cherrypy.tools.json_out()
    def hello(self, name):
        link = f"/hello/{quote(name)}"
        path, url = cherrypy.url(link, relative="server"), cherrypy.url(link)
        return {"name": name, "path": path, "url": url}

    @cherrypy.expose
    def moved(self):
        raise cherrypy.HTTPRedirect(cherrypy.url("/hello/" + quote("caf\xe9")))

    @cherrypy.expose
    @cherrypy.config(**{"response.stream": True})
    def stream(self, **_):
        cherrypy.response.headers["Content-Type"] = "text/plain"
        return pieces.pieces("cherrypy", cherrypy.request.query_string)

    @cherrypy.expose
    def served(self, name):
        return static.serve_file(str(pieces.FOLDER / name))

    @cherrypy.expose
    @cherrypy.tools.json_in()
    @cherrypy.tools.json_out()
    def json(self):
        return {"got": cherrypy.request.json}

    @cherrypy.expose
    @cherrypy.tools.json_out()
    def uploads(self, file):
        return pieces.sums((part.filename, part.file) for part in file)

    @cherrypy.expose
    @cherrypy.config(**{"request.body.maxbytes": pieces.LIMIT})
    def limited(self):
        return str(len(cherrypy.request.body.read()))

    @cherrypy.expose
    @cherrypy.tools.json_out()
    def cookies(self, read=None):
        if read:
            return {name: morsel.value for name, morsel in cherrypy.request.cookie.items()}
        jar = cherrypy.response.cookie
        values = {"plain": "value", "quoted": pieces.QUOTED, "utf8": quote(pieces.UTF8)}
        for name, value in {**values, "long": pieces.LONG, "full": "f", "gone": ""}.items():
            jar[name] = value
        jar["full"].update({"max-age": 60, "path": "/", "samesite": "Lax"})
        jar["full"]["secure"] = jar["full"]["httponly"] = True
        jar["gone"]["max-age"] = 0
        return "set"

    @cherrypy.expose
    def head(self):
        cherrypy.response.headers.update(pieces.HEADERS)
        return str(len(cherrypy.request.headers["X-Large"]))

    @cherrypy.expose
    def nothing(self):
        cherrypy.response.status = 204

    @cherrypy.expose
    def unchanged(self):
        raise cherrypy.HTTPRedirect("", 304)

    @cherrypy.expose(["async"])
    @cherrypy.tools.json_out()
    def asynchronous(self):
        return {**asyncio.run(pieces.computed()), "path": cherrypy.url(relative="server")}

    @cherrypy.expose
    def local(self):
        left = getattr(cherrypy.request, "left", "nothing")
        cherrypy.request.left = "something"
        return left

    @cherrypy.expose
    def noted(self):
        cherrypy.request.wsgi_environ["wsgi.errors"].write("cherrypy: a note\n")
        cherrypy.log("cherrypy: its log")
        return "noted"

    @cherrypy.expose
    def fails(self):
        raise RuntimeError("a view failed")

    @cherrypy.expose
    @cherrypy.config(**{"tools.sessions.on": True})
    def visits(self):
        cherrypy.session["visits"] = cherrypy.session.get("visits", 0) + 1
        return str(cherrypy.session["visits"])


# It logs to the error log of nginx, with the request. It logs nowhere else if other applications of
# this Python have given handlers to the root logger.
logging.getLogger("cherrypy").propagate = False
CONFIG = {"/": {"log.wsgi": True}}

app = cherrypy.Application(Site(), script_name=None, config=CONFIG)
cherrypy.tree.mount(Site(), "/tree", CONFIG)
tree = cherrypy.tree
