"""A small object as JSON, by Flask."""

from flask import Flask

application = Flask(__name__)


@application.get("/")
def index():
    return {"message": "Hello world!", "numbers": [1, 2, 3]}
