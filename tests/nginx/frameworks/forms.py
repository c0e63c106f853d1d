"""Bodies of forms, as browsers send them."""

from urllib.parse import urlencode

URLENCODED = ("Content-Type", "application/x-www-form-urlencoded")
MULTIPART = ("Content-Type", "multipart/form-data; boundary=the-boundary")


def form(**fields):
    return urlencode(fields).encode()


def upload(name, *contents):
    """A file for each of `contents`, file.bin, file1.bin and so on, in a field called `name`."""
    lines = []
    for number, data in enumerate(contents):
        head = f'Content-Disposition: form-data; name="{name}"; filename="file{number or ""}.bin"'
        kind = b"Content-Type: application/octet-stream"
        lines += [b"--the-boundary", head.encode(), kind, b"", data]
    return b"\r\n".join([*lines, b"--the-boundary--", b""])
