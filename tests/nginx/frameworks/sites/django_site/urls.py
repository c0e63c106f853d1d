"""The URLs of the project."""

from django.contrib import admin
from django.urls import path
from notes import views

urlpatterns = [
    path("admin/", admin.site.urls),
    path("notes/", views.notes, name="notes"),
    path("upload/", views.upload),
    path("stream/", views.stream),
    path("file/", views.file),
    path("fails/", views.fails),
]
