"""Keeps objects of a request, and uses them after the request has ended.

/keep            answers "kept", and keeps input, errors, file_wrapper, start_response and write
/use?NAME        uses the kept object, and answers with the result
"""

import io

TEXT = [("Content-Type", "text/plain")]
kept = {}

USES = {
    "input": lambda held: held["input"].read(-1),
    "input_line": lambda held: held["input"].readline(),
    "input_iterate": lambda held: list(held["input"]),
    "errors": lambda held: held["errors"].write("from an earlier request\n"),
    "errors_flush": lambda held: held["errors"].flush(),
    "start_response": lambda held: held["start_response"]("200 OK", TEXT),
    "write": lambda held: held["write"](b"never to be seen"),
    "file_wrapper": lambda held: list(held["file_wrapper"](io.BytesIO(b"bytes"))),
}


def outcome(use, held):
    """The result of a use, as text."""
    try:
        return f"returned {use(held)!r}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def app(environ, start_response):
    held = {name: environ[f"wsgi.{name}"] for name in ("input", "errors", "file_wrapper")}
    held["start_response"] = start_response
    path, name = environ["PATH_INFO"], environ["QUERY_STRING"]
    held["write"] = start_response("200 OK", TEXT)
    if path == "/keep":
        kept.update(held)
        return [b"kept"]
    return [outcome(USES[name], kept).encode()]
