"""A Flask application: JSON, a form, a session, a stream, an upload, an error."""

import hashlib

from flask import Flask, Response, jsonify, redirect, request, send_file, session, url_for

app = Flask(__name__)
app.secret_key = "for the tests only"


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


@app.get("/stream")
def stream():
    return Response((f"line {number}\n" for number in range(1000)), mimetype="text/plain")


@app.get("/file")
def file():
    return send_file(__file__, mimetype="text/x-python", conditional=True)


@app.get("/fails")
def fails():
    app.logger.warning("about to fail")
    raise RuntimeError("a view failed")
