"""A small object as JSON, by Django with the middleware that `startproject` gives to every site."""

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse
from django.urls import path

settings.configure(
    ALLOWED_HOSTS=["*"],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
    ROOT_URLCONF=__name__,
    SECRET_KEY="of a benchmark",
)


def index(request):
    return JsonResponse({"message": "Hello world!", "numbers": [1, 2, 3]})


urlpatterns = [path("", index)]
application = get_wsgi_application()
