"""A form, an upload, a stream, a file, a failure."""

import hashlib

from django.forms import ModelForm
from django.http import FileResponse, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt
from notes.models import Note


class NoteForm(ModelForm):
    class Meta:
        model = Note
        fields = ["text"]


def notes(request):
    form = NoteForm(request.POST or None)
    if form.is_valid():
        form.save()
        return redirect("notes")
    return render(request, "notes.html", {"form": form, "notes": Note.objects.order_by("id")})


@csrf_exempt
def upload(request):
    digest = hashlib.sha256()
    for chunk in request.FILES["file"].chunks():
        digest.update(chunk)
    kind = type(request.FILES["file"]).__name__
    return HttpResponse(f"{digest.hexdigest()} {kind}", content_type="text/plain")


def lines(request):
    return StreamingHttpResponse(f"line {number}\n" for number in range(1000))


def file(request):
    return FileResponse(open(__file__, "rb"), as_attachment=True)


def fails(request):
    raise RuntimeError("a view failed")
