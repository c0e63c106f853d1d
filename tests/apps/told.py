"""Answers as its query string says, which is JSON with these members, each optional.

any path         {"status": "200 OK", "headers": [["Name", "value"], ...], "body": "text",
                 "times": how often the text is in the body, "read": how many bytes of the request's
                 body are read first, "shape": how the body is given: "list" (the default), "pieces"
                 (an iterator), "endless" (pieces without end), "written" (by write()), "file" (the
                 text is a path)}
/closed          how many bodies of the shapes "pieces" and "endless" have been closed
/loop            X-Accel-Redirect to the path of the request
/count           the number of requests for it; X-Accel-Expires allows a cache to keep a copy
"""

import json
from urllib.parse import unquote

TEXT = [("Content-Type", "text/plain")]
counts = {"closed": 0, "asked": 0}


class Pieces:
    """The text in pieces of seven bytes, once or without end. It counts calls of close()."""

    def __init__(self, text, endless):
        self.text, self.endless, self.at = text, endless, 0

    def __iter__(self):
        return self

    def __next__(self):
        if self.endless:
            return self.text * 1000
        piece = self.text[self.at : self.at + 7]
        self.at += 7
        if not piece:
            raise StopIteration
        return piece

    def close(self):
        counts["closed"] += 1


def body_of(told, environ, write):
    text, shape = told.get("body", "the application").encode(), told.get("shape", "list")
    text *= told.get("times", 1)
    if shape == "file":
        return environ["wsgi.file_wrapper"](open(text, "rb"))
    if shape == "written":
        for start in range(0, len(text), 7):
            write(text[start : start + 7])
        return []
    return [text] if shape == "list" else Pieces(text, shape == "endless")


def app(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/closed":
        start_response("200 OK", TEXT)
        return [str(counts["closed"]).encode()]
    if path == "/loop":
        start_response("200 OK", [("X-Accel-Redirect", environ["SCRIPT_NAME"] + path)])
        return []
    if path == "/count":
        counts["asked"] += 1
        start_response("200 OK", [*TEXT, ("X-Accel-Expires", "1000")])
        return [str(counts["asked"]).encode()]
    told = json.loads(unquote(environ["QUERY_STRING"]))
    headers = [tuple(header) for header in told.get("headers", TEXT)]
    if "read" in told:
        environ["wsgi.input"].read(told["read"])
    write = start_response(told.get("status", "200 OK"), headers)
    return body_of(told, environ, write)
