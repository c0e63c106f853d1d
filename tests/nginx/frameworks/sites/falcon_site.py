"""A Falcon application: the paths of pieces.py."""

import falcon
import pieces
from falcon.uri import encode_value


class Hello:
    def on_get(self, req, resp, name):
        path = f"{req.root_path}/hello/{encode_value(name)}"
        url = f"{req.scheme}://{req.netloc}{path}"
        resp.media = {"name": name, "path": path, "url": url}


class Moved:
    def on_get(self, req, resp):
        name = encode_value("caf\xe9")
        raise falcon.HTTPFound(f"{req.root_path}/hello/{name}")


class Stream:
    def on_get(self, req, resp):
        resp.content_type = "text/plain"
        resp.stream = pieces.pieces("falcon", req.query_string)


class Json:
    def on_post(self, req, resp):
        resp.media = {"got": req.get_media()}


class Uploads:
    def on_post(self, req, resp):
        resp.media = pieces.sums((part.filename, part.stream) for part in req.get_media())


class Limited:
    def on_post(self, req, resp):
        if req.content_length > pieces.LIMIT:
            raise falcon.HTTPContentTooLarge(title="that is too long")
        resp.text = str(len(req.bounded_stream.read()))


class Cookies:
    def on_get(self, req, resp):
        resp.set_cookie("plain", "value", secure=False)
        resp.set_cookie("quoted", pieces.QUOTED, secure=False)
        resp.set_cookie("utf8", encode_value(pieces.UTF8), secure=False)
        resp.set_cookie("long", pieces.LONG, secure=False)
        resp.set_cookie("full", "f", max_age=60, path="/", same_site="Lax")
        resp.unset_cookie("gone", path="/")

    def on_get_read(self, req, resp):
        resp.media = req.cookies


class Head:
    def on_get(self, req, resp):
        resp.set_headers(pieces.HEADERS)
        resp.text = str(len(req.get_header("X-Large")))


class Simple:
    """The paths that need few lines."""

    def on_get_nothing(self, req, resp):
        resp.status = falcon.HTTP_204

    def on_get_unchanged(self, req, resp):
        resp.status = falcon.HTTP_304

    def on_get_async(self, req, resp):
        resp.media = {**falcon.async_to_sync(pieces.computed), "path": req.root_path + req.path}

    def on_get_local(self, req, resp):
        resp.text = getattr(req.context, "left", "nothing")
        req.context.left = "something"

    def on_get_noted(self, req, resp):
        req.env["wsgi.errors"].write("falcon: a note\n")
        req.log_error("falcon: its log")

    def on_get_fails(self, req, resp):
        raise RuntimeError("a view failed")


app = falcon.App()
app.add_route("/hello/{name}", Hello())
app.add_route("/moved", Moved())
app.add_route("/stream", Stream())
app.add_static_route("/served", pieces.FOLDER)
app.add_route("/json", Json())
app.add_route("/uploads", Uploads())
app.add_route("/limited", Limited())
app.add_route("/cookies", cookies := Cookies())
app.add_route("/cookies/read", cookies, suffix="read")
app.add_route("/head", Head())
for name in ("nothing", "unchanged", "async", "local", "noted", "fails"):
    app.add_route(f"/{name}", Simple(), suffix=name)
