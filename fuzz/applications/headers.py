"""Calls start_response with a status and headers made of the request's body.

Its body has what the client must get, by rules written a second time here, as regular expressions:
`accepted`, then status, reason, names and values with a NUL after each; or `refused`.
"""

import re
import sys

from program import Program, mismatch

TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
STATUS = re.compile(r"([2-9][0-9][0-9])(?: ([^\x00-\x1f\x7f]*))?")
VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")
NUMBER = re.compile(r"[0-9]+")
HOP = "connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer"
DROPPED = {*HOP.split(), "transfer-encoding", "upgrade", "content-length"}
NAMES = [*sorted(DROPPED), "Content-Type", "X-Any", "Set-Cookie"]
STATUSES = ["200 OK", "404 Not Found", "204 No Content", "304 Not Modified", "500 Oops"]


class Text(str):
    """Not quite a str."""


def string(program, known):
    kind = program.byte()
    if kind % 3 == 0:
        return known[kind // 3 % len(known)]
    raw = program.take(program.byte() % 24)
    if kind % 3 == 1 or kind < 128:
        return raw.decode("latin-1")
    others = [raw, Text(raw, "latin-1"), raw.decode(errors="surrogateescape"), None, 7, raw * 300]
    other = others[kind // 3 % len(others)]
    return other.decode("latin-1") if kind > 250 and isinstance(other, bytes) else other


def pair(program):
    kind = program.byte()
    made = (string(program, NAMES), string(program, ["text/plain", "5", " 5\t", "", "00"]))
    others = [list(made), made[:1], (*made, "x"), None, "ab"]
    return others[kind % 5] if kind > 240 else made


def header_list(program):
    pairs = [pair(program) for _ in range(program.byte() % 6)]
    return program.choose(*[pairs] * 14, tuple(pairs), None)


def is_text(value, pattern):
    latin1 = isinstance(value, str) and all(ord(c) < 256 for c in value)
    return latin1 and pattern.fullmatch(value) is not None


def expected(status, headers):
    """What the client must get; None if start_response must refuse."""
    if not is_text(status, STATUS) or not isinstance(headers, list):
        return None
    code, reason = STATUS.fullmatch(status).groups()
    fields, lengths = [code, reason or ""], set()
    for one in headers:
        if not isinstance(one, tuple) or len(one) != 2:
            return None
        name, value = one
        if not is_text(name, TOKEN) or not is_text(value, VALUE):
            return None
        value = value.strip(" \t")
        if name.lower() == "content-length":
            # int() refuses thousands of digits, which may all be zeros.
            digits = value.lstrip("0") or "0"
            if not NUMBER.fullmatch(value) or len(digits) > 20 or int(digits) >= 1 << 64:
                return None
            lengths.add(int(digits))
        elif name.lower() not in DROPPED:
            fields += [name, value]
    return fields if len(lengths) < 2 else None


def app(environ, start_response):
    program = Program(environ["wsgi.input"].read())
    status, headers = string(program, STATUSES), header_list(program)
    wanted = expected(status, headers)
    try:
        write = start_response(status, headers)
    except (TypeError, ValueError) as error:
        if wanted is not None:
            mismatch(environ, f"{ascii(status)} {ascii(headers)} refused: {error!r:.40}")
        start_response("200 OK", [("X-Refused", "yes")], sys.exc_info())
        return [b"refused"]
    if wanted is None:
        mismatch(environ, f"{ascii(status)} {ascii(headers)} accepted")
        return [b"mismatch"]
    write("accepted\0".encode() + "".join(f"{field}\0" for field in wanted).encode("latin-1"))
    return []
