"""The URLs of the project."""

from django.contrib import admin
from django.urls import path
from notes import tricks, views

urlpatterns = [
    path("admin/", admin.site.urls),
    path("notes/", views.notes, name="notes"),
    path("upload/", views.upload),
    path("lines/", views.lines),
    path("file/", views.file),
    path("fails/", views.fails),
    path("hello/<str:name>", tricks.hello, name="hello"),
    path("moved", tricks.moved),
    path("deep/", tricks.deep),
    path("stream", tricks.stream),
    path("served/<str:name>", tricks.served),
    path("json", tricks.json),
    path("uploads", tricks.uploads),
    path("limited", tricks.limited),
    path("cookies", tricks.cookies),
    path("cookies/read", tricks.cookies_read),
    path("head", tricks.head),
    path("nothing", tricks.nothing),
    path("unchanged", tricks.unchanged),
    path("async", tricks.asynchronous),
    path("async/json", tricks.asynchronous_json),
    path("async/form", tricks.asynchronous_form),
    path("async/uploads", tricks.asynchronous_uploads),
    path("local", tricks.local),
    path("noted", tricks.noted),
    path("fails", views.fails),
    path("token", tricks.token),
]
