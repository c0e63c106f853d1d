"""A Bottle application: a template, a form, a cookie, a file, and the paths of pieces.py."""

import asyncio
import os
from urllib.parse import quote, urljoin

import bottle
import pieces
from bottle import request, response

app = bottle.Bottle()
bottle.debug(pieces.DEBUG)


@app.get("/greet/<name>")
def greet(name):
    response.set_cookie("name", name)
    return bottle.template("Hello {{name}}", name=name)


@app.post("/form")
def form():
    return {"text": request.forms.text, "cookie": request.get_cookie("name")}


@app.get("/words")
def words():
    yield "one "
    yield "two"


@app.get("/file")
def file():
    return bottle.static_file(os.path.basename(__file__), root=os.path.dirname(__file__))


@app.get("/fails")
def fails():
    raise RuntimeError("a view failed")


@app.get("/hello/<name>", name="hello")
def hello(name):
    path = quote(app.get_url("hello", name=name))
    return {"name": name, "path": path, "url": urljoin(request.url, path)}


@app.get("/moved")
def moved():
    bottle.redirect(quote(app.get_url("hello", name="caf\xe9")))


@app.get("/deep/")
def deep():
    return "deep"


@app.get("/stream")
def stream():
    response.content_type = "text/plain"
    return pieces.pieces("bottle", request.query_string)


@app.get("/served/<name>")
def served(name):
    return bottle.static_file(name, root=pieces.FOLDER)


@app.post("/json")
def json():
    return {"got": request.json}


@app.post("/uploads")
def uploads():
    return pieces.sums((file.raw_filename, file.file) for file in request.files.getall("file"))


@app.post("/limited")
def limited():
    return str(len(request.json))  # no longer than bottle.BaseRequest.MEMFILE_MAX


@app.get("/cookies")
def cookies():
    response.set_cookie("plain", "value")
    response.set_cookie("quoted", pieces.QUOTED)
    response.set_cookie("utf8", pieces.UTF8)
    response.set_cookie("long", pieces.LONG)
    response.set_cookie(
        "full", "f", max_age=60, path="/", secure=True, httponly=True, samesite="lax"
    )
    response.delete_cookie("gone", path="/")
    return "set"


@app.get("/cookies/read")
def cookies_read():
    return dict(request.cookies.decode())


@app.get("/head")
def head():
    for name, value in pieces.HEADERS:
        response.set_header(name, value)
    return str(len(request.headers["X-Large"]))


@app.get("/nothing")
def nothing():
    response.status = 204


@app.get("/unchanged")
def unchanged():
    response.status = 304


@app.get("/async")
def asynchronous():
    return {**asyncio.run(pieces.computed()), "path": request.script_name + request.path[1:]}


@app.get("/local")
def local():
    left = getattr(request, "left", "nothing")
    request.left = "something"
    return left


@app.get("/noted")
def noted():
    request.environ["wsgi.errors"].write("bottle: a note\n")
    return "noted"
