"""A Flask application: JSON, a form, a session, an upload, and the paths of pieces.py.

`mounted` is the same below Werkzeug's DispatcherMiddleware; /socket is a route of Flask-Sock.
"""

import copy
import hashlib

import pieces
from flask import (
    Flask,
    Response,
    g,
    jsonify,
    redirect,
    request,
    send_file,
    send_from_directory,
    session,
    stream_with_context,
    url_for,
)
from flask_sock import Sock
from werkzeug.middleware.dispatcher import DispatcherMiddleware

app = Flask(__name__)
app.debug = pieces.DEBUG
app.secret_key = "for the tests only"
sock = Sock(app)
mounted = DispatcherMiddleware(app, {"/inner": app})


@app.get("/")
def index():
    return f"Hello from {request.host} at {url_for('index', _external=True)}"


@app.post("/login")
def login():
    session["who"] = request.form["who"]
    return redirect(url_for("me"))


@app.get("/me")
def me():
    return jsonify(who=session.get("who"), agent=request.user_agent.string)


@app.post("/upload")
def upload():
    return hashlib.sha256(request.files["file"].read()).hexdigest()


@app.get("/lines")
def lines():
    return Response((f"line {number}\n" for number in range(1000)), mimetype="text/plain")


@app.get("/file")
def file():
    return send_file(__file__, mimetype="text/x-python", conditional=True)


@app.get("/fails")
def fails():
    app.logger.warning("about to fail")
    raise RuntimeError("a view failed")


@app.get("/hello/<name>")
def hello(name):
    path, url = url_for("hello", name=name), url_for("hello", name=name, _external=True)
    return jsonify(name=name, path=path, url=url)


@app.get("/moved")
def moved():
    return redirect(url_for("hello", name="caf\xe9"))


@app.get("/deep/")
def deep():
    return "deep"


@app.get("/stream")
def stream():
    query = request.query_string.decode()
    return Response(stream_with_context(pieces.pieces("flask", query)), mimetype="text/plain")


@app.get("/context")
def context():
    """Waits as /stream does, then reads its own request."""
    made = pieces.pieces("flask", request.query_string.decode())
    read = (piece if piece == b"first" else request.query_string for piece in made)
    return Response(stream_with_context(read))


@app.get("/many")
def many():
    """Pieces of 64 KB, enough to wait for a slow client. Each reads its own request."""
    made = (request.query_string.ljust(1 << 16) for _ in range(40))
    return Response(stream_with_context(made))


@app.get("/environ")
def environ():
    """The results of copying environ."""
    answer = {"repr": repr(request.environ)}
    answer["copy"] = "the same" if copy.copy(request.environ) == request.environ else "another"
    plain = {key: request.environ[key] for key in request.environ if key[:8] != "werkzeug"}
    try:
        copy.deepcopy(plain)
    except Exception as error:
        answer["deepcopy"] = f"{type(error).__name__}: {error}"
    return answer


@app.get("/served/<name>")
def served(name):
    return send_from_directory(pieces.FOLDER, name, max_age=60)


@app.post("/json")
def json():
    return jsonify(got=request.get_json())


@app.post("/uploads")
def uploads():
    return pieces.sums((file.filename, file.stream) for file in request.files.getlist("file"))


@app.post("/limited")
def limited():
    request.max_content_length = pieces.LIMIT
    return str(len(request.get_data()))


@app.get("/cookies")
def cookies():
    response = Response("set")
    response.set_cookie("plain", "value")
    response.set_cookie("quoted", pieces.QUOTED)
    response.set_cookie("utf8", pieces.UTF8)
    response.set_cookie("long", pieces.LONG)
    response.set_cookie(
        "full", "f", max_age=60, path="/", secure=True, httponly=True, samesite="Lax"
    )
    response.delete_cookie("gone")
    return response


@app.get("/cookies/read")
def cookies_read():
    return jsonify(request.cookies)


@app.get("/head")
def head():
    return Response(str(len(request.headers["X-Large"])), headers=pieces.HEADERS)


@app.get("/nothing")
def nothing():
    return "", 204


@app.get("/unchanged")
def unchanged():
    return Response(status=304)


@app.get("/async")
async def asynchronous():
    return {**await pieces.computed(), "path": request.script_root + request.path}


@app.post("/async/json")
async def asynchronous_json():
    await pieces.computed()
    return jsonify(got=request.get_json())


@app.post("/async/form")
async def asynchronous_form():
    await pieces.computed()
    return jsonify(request.form)


@app.post("/async/uploads")
async def asynchronous_uploads():
    await pieces.computed()
    return pieces.sums((file.filename, file.stream) for file in request.files.getlist("file"))


@app.get("/local")
def local():
    left, g.left = g.get("left", "nothing"), "something"
    return left


@app.get("/noted")
def noted():
    request.environ["wsgi.errors"].write("flask: a note\n")
    app.logger.error("flask: its log")
    return "noted"


@sock.route("/socket")
def socket(ws):
    ws.send("hello")
