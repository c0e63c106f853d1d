"""Decides on requests for auth_request, and answers those that it let in.

judge            answers with the status in X-Verdict, and names the user in X-User; for 401 it asks
                 for credentials in X-Challenges ways, for "verbose" it gives ten megabytes
taker            shows its request: method, X-Judged-User of nginx, length and body
"""


def judge(environ, start_response):
    verdict = environ.get("HTTP_X_VERDICT", "200")
    asked = int(environ.get("HTTP_X_CHALLENGES", "1"))
    headers = [
        ("Content-Type", "text/plain"),
        ("X-User", environ.get("HTTP_X_NAME", "nobody")),
        ("X-Body", repr(environ["wsgi.input"].read())),
        ("Set-Cookie", "judged=yes"),
    ]
    if verdict == "401":
        headers += [("WWW-Authenticate", f'Basic realm="{n}"') for n in range(asked)]
    if verdict == "raise":
        raise ValueError("no verdict")
    if verdict == "verbose":
        start_response("200 OK", headers)
        return (bytes(65_536) for _ in range(160))
    start_response(f"{verdict} Verdict", headers)
    return [b"a verdict"]


def taker(environ, start_response):
    body = environ["wsgi.input"].read()
    said = [
        environ["REQUEST_METHOD"],
        environ.get("judged.user"),
        environ.get("judged.body"),
        environ.get("CONTENT_LENGTH"),
        body,
    ]
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [repr(said).encode()]
