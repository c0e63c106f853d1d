"""Bodies of forms, as browsers send them."""

from urllib.parse import urlencode

URLENCODED = ("Content-Type", "application/x-www-form-urlencoded")
MULTIPART = ("Content-Type", "multipart/form-data; boundary=the-boundary")


def form(**fields):
    return urlencode(fields).encode()


def upload(name, data):
    """One file in a field called `name`."""
    head = f'Content-Disposition: form-data; name="{name}"; filename="file.bin"'
    return b"\r\n".join(
        [
            b"--the-boundary",
            head.encode(),
            b"Content-Type: application/octet-stream",
            b"",
            data,
            b"--the-boundary--",
            b"",
        ]
    )
