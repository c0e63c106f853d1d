"""The paths of pieces.py, and a form with a token against forged requests."""

import json as plain_json
import logging
from urllib.parse import quote

import pieces
from asgiref.sync import sync_to_async
from django.http import FileResponse, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import condition


def hello(request, name):
    path = reverse("hello", args=[name])
    return JsonResponse({"name": name, "path": path, "url": request.build_absolute_uri(path)})


def moved(request):
    return redirect("hello", name="caf\xe9")


def deep(request):
    return HttpResponse("deep")


def stream(request):
    return StreamingHttpResponse(pieces.pieces("django", request.META["QUERY_STRING"]))


def last_modified(request, name):
    changed = (pieces.FOLDER / name).stat().st_mtime
    return timezone.datetime.fromtimestamp(int(changed), timezone.get_current_timezone())


@condition(etag_func=lambda request, name: f'"{name}"', last_modified_func=last_modified)
def served(request, name):
    return FileResponse(open(pieces.FOLDER / name, "rb"))


@csrf_exempt
def json(request):
    return JsonResponse({"got": plain_json.loads(request.body)})


@csrf_exempt
def uploads(request):
    files = request.FILES.getlist("file")
    return JsonResponse(pieces.sums((file.name, file) for file in files))


@csrf_exempt
def limited(request):
    return HttpResponse(len(request.body))  # no longer than DATA_UPLOAD_MAX_MEMORY_SIZE


def cookies(request):
    response = HttpResponse("set")
    response.set_cookie("plain", "value")
    response.set_cookie("quoted", pieces.QUOTED)
    response.set_cookie("utf8", quote(pieces.UTF8))
    response.set_cookie("long", pieces.LONG)
    response.set_cookie(
        "full", "f", max_age=60, path="/", secure=True, httponly=True, samesite="Lax"
    )
    response.delete_cookie("gone")
    return response


def cookies_read(request):
    return JsonResponse(request.COOKIES)


def head(request):
    return HttpResponse(len(request.headers["X-Large"]), headers=dict(pieces.HEADERS))


def nothing(request):
    return HttpResponse(status=204)


def unchanged(request):
    return HttpResponse(status=304)


async def asynchronous(request):
    return JsonResponse({**await pieces.computed(), "path": request.path})


@csrf_exempt
async def asynchronous_json(request):
    await pieces.computed()
    return JsonResponse({"got": plain_json.loads(request.body)})


@csrf_exempt
async def asynchronous_form(request):
    await pieces.computed()
    return JsonResponse(request.POST.dict())


@csrf_exempt
async def asynchronous_uploads(request):
    await pieces.computed()
    return await sync_to_async(uploads)(request)


def local(request):
    left = "nothing"
    if translation.get_language() != "en-us":
        left = translation.get_language()
    with translation.override("de"):
        return HttpResponse(left)


def noted(request):
    request.META["wsgi.errors"].write("django: a note\n")
    logging.getLogger("notes").error("django: its log")
    return HttpResponse("noted")


def token(request):
    if request.method == "POST":
        return HttpResponse("taken")
    return render(request, "notes.html", {"form": "", "notes": []})
