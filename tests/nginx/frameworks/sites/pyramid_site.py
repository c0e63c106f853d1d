"""A Pyramid application: the paths of pieces.py, a form with a token, a request within another."""

import asyncio
import logging

import pieces
from pyramid.config import Configurator
from pyramid.csrf import get_csrf_token
from pyramid.httpexceptions import HTTPFound, HTTPNotModified, HTTPRequestEntityTooLarge
from pyramid.request import Request
from pyramid.response import FileResponse, Response
from pyramid.session import SignedCookieSessionFactory
from pyramid.threadlocal import manager

logging.basicConfig(level=logging.WARNING)


def hello(request):
    name = request.matchdict["name"]
    made = {"path": request.route_path("hello", name=name)}
    return {"name": name, "url": request.route_url("hello", name=name), **made}


def moved(request):
    return HTTPFound(request.route_path("hello", name="caf\xe9"))


def deep(request):
    return Response("deep")


def stream(request):
    made = pieces.pieces("pyramid", request.query_string)
    return Response(app_iter=made, content_type="text/plain")


def served(request):
    return FileResponse(pieces.FOLDER / request.matchdict["name"], request=request)


def json(request):
    return {"got": request.json_body}


def uploads(request):
    return pieces.sums((field.filename, field.file) for field in request.POST.getall("file"))


def limited(request):
    if request.content_length > pieces.LIMIT:
        raise HTTPRequestEntityTooLarge
    return Response(str(len(request.body)))


def cookies(request):
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


def cookies_read(request):
    return dict(request.cookies)


def head(request):
    response = Response(str(len(request.headers["X-Large"])))
    response.headers.extend(pieces.HEADERS)
    return response


def nothing(request):
    return Response(status=204)


def unchanged(request):
    raise HTTPNotModified


def asynchronous(request):
    path = request.script_name + request.path_info
    return {**asyncio.run(pieces.computed()), "path": path}


def local(request):
    left = "nothing" if len(manager.stack) == 1 else "a request"
    return Response(left)


def noted(request):
    request.environ["wsgi.errors"].write("pyramid: a note\n")
    logging.getLogger("site").error("pyramid: its log")
    return Response("noted")


def fails(request):
    raise RuntimeError("a view failed")


def token(request):
    request.session["visits"] = request.session.get("visits", 0) + 1
    if request.method == "POST":
        return Response(f"taken, at visit {request.session['visits']}")
    return Response(f'name="csrfmiddlewaretoken" value="{get_csrf_token(request)}"')


def within(request):
    """Sends a request to itself; both requests have the body of the first."""
    inner = Request.blank("/json", base_url=request.application_url, method="POST")
    inner.body, inner.content_type = request.body, "application/json"
    answer = request.invoke_subrequest(inner)
    return {"inner": answer.json_body, "outer": request.copy().json_body}


JSON = {"json", "uploads", "hello", "cookies_read", "asynchronous", "within"}
PATHS = {
    "/hello/{name}": hello,
    "/moved": moved,
    "/deep/": deep,
    "/stream": stream,
    "/served/{name}": served,
    "/json": json,
    "/uploads": uploads,
    "/limited": limited,
    "/cookies": cookies,
    "/cookies/read": cookies_read,
    "/head": head,
    "/nothing": nothing,
    "/unchanged": unchanged,
    "/async": asynchronous,
    "/local": local,
    "/noted": noted,
    "/fails": fails,
    "/token": token,
    "/within": within,
}

with Configurator(session_factory=SignedCookieSessionFactory("for the tests only")) as config:
    config.add_settings({"pyramid.debug_all": pieces.DEBUG})
    config.set_default_csrf_options(require_csrf=False, token="csrfmiddlewaretoken")
    for path, view in PATHS.items():
        name = view.__name__
        config.add_route(name, path)
        renderer = "json" if name in JSON else None
        config.add_view(
            view,
            route_name=name,
            renderer=renderer,
            require_csrf=name == "token",
        )
    config.add_notfound_view(append_slash=True)
    app = config.make_wsgi_app()
