"""A Bottle application: routes, a form, a cookie, a stream, a static file."""

import os

import bottle

app = bottle.Bottle()


@app.get("/hello/<name>")
def hello(name):
    bottle.response.set_cookie("name", name)
    return bottle.template("Hello {{name}}", name=name)


@app.post("/form")
def form():
    return {"text": bottle.request.forms.text, "cookie": bottle.request.get_cookie("name")}


@app.get("/stream")
def stream():
    yield "one "
    yield "two"


@app.get("/file")
def file():
    return bottle.static_file(os.path.basename(__file__), root=os.path.dirname(__file__))


@app.get("/fails")
def fails():
    raise RuntimeError("a route failed")
