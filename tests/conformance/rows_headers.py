"""Rows 15 to 18 and 20 to 22: what an application may not give to start_response."""

from battery import Fault, application, need, prefer, probe

BAD = {
    "value-crlf": ("X-Bad", "one\r\nX-Injected: yes"),
    "value-lf": ("X-Bad", "one\nX-Injected: yes"),
    "value-cr": ("X-Bad", "one\rtwo"),
    "value-nul": ("X-Bad", "one\0two"),
    "value-control": ("X-Bad", "one\x01two"),
    "name-colon": ("X-Bad: evil", "yes"),
    "name-space": ("X-Bad header", "yes"),
    "name-empty": ("", "yes"),
    "name-newline": ("X-Injected: yes\r\nX-Bad", "yes"),
    "name-foreign": ("X-Bäd", "yes"),
    "unicode": ("X-Bad", "snow ☃"),
    "latin": ("X-Good", "café"),
    "bytes": (b"X-Bad", b"yes"),
    "number": ("X-Bad", 5),
    "pair-list": ["X-Bad", "yes"],
    "triple": ("X-Bad", "yes", "no"),
    "transfer-encoding": ("Transfer-Encoding", "chunked"),
    "connection": ("Connection", "X-Odd"),
    "keep-alive": ("Keep-Alive", "timeout=1234"),
    "upgrade": ("Upgrade", "odd/1"),
}


@application
def gives_header(environ, start_response):
    bad = BAD[environ["QUERY_STRING"]]
    start_response("200 OK", [("Content-Type", "text/plain"), bad])
    return [b"hello"]


STATUSES = {
    "crlf": "200 OK\r\nX-Injected: yes",
    "newline": "200 OK\n",
    "word": "abc",
    "two-digits": "20 OK",
    "four-digits": "2000 OK",
    "number": 200,
    "unicode": "200 ☃",
}


@application
def gives_status(environ, start_response):
    start_response(STATUSES[environ["QUERY_STRING"]], [("Content-Type", "text/plain")])
    return [b"hello"]


@application
def gives_no_list(environ, start_response):
    pairs = (("Content-Type", "text/plain"), ("X-Bad", "yes"))
    start_response("200 OK", pairs if environ["QUERY_STRING"] == "tuple" else dict(pairs))
    return [b"hello"]


def is_refused(talk, target, accepted="accepts it"):
    """Nothing of it reaches the client, who gets an error rather than half of a response."""
    response = talk.ask(target)
    need(not response.all("X-Injected"), "sends what was injected as a header")
    if response.is_error:
        return
    sent = response.field("X-Bad")
    shown = f"sends X-Bad: {sent}" if sent is not None else f"drops it silently: {response.status}"
    prefer(False, shown if target.startswith("gives_header") else f"{accepted}: {response}")


@probe(15, "no line break in a header's value")
def line_breaks_in_a_value(talk):
    for bad in ("value-crlf", "value-lf", "value-cr"):
        is_refused(talk, f"gives_header?{bad}")


@probe(15, "no line break in the status")
def line_breaks_in_the_status(talk):
    is_refused(talk, "gives_status?crlf")
    is_refused(talk, "gives_status?newline")


@probe(16, "no NUL or other control character in a value")
def control_characters(talk):
    for bad in ("value-nul", "value-control"):
        is_refused(talk, f"gives_header?{bad}")


@probe(17, "a header's name is a token")
def names_of_headers(talk):
    for bad in ("name-colon", "name-space", "name-empty", "name-newline", "name-foreign"):
        response = talk.ask(f"gives_header?{bad}")
        need(not response.all("X-Injected"), "sends what was injected as a header")
        need(not response.all("X-Bad"), f"sends X-Bad: {response.field('X-Bad')}")
        prefer(response.is_error, f"drops it silently: {response.status}")


@probe(18, "hop-by-hop headers are the server's own")
def hop_by_hop(talk):
    dropped = False
    for name in ("transfer-encoding", "connection", "keep-alive", "upgrade"):
        response = talk.ask(f"gives_header?{name}")
        if response.is_error:
            continue
        dropped = True
        whole = response.body == b"hello" and response.end == "complete"
        need(whole or name != "transfer-encoding", "passes chunked on, over a body without chunks")
        need(whole, f"answers {response}")
        sent = response.field(name) or ""
        if name != "transfer-encoding":
            prefer(BAD[name][1] not in sent, f"passes {BAD[name][0]}: {sent} on")
    return "leaves them out" if dropped else "refuses them"


@probe(20, "the status is three digits, a space and a phrase")
def the_form_of_a_status(talk):
    for bad in ("word", "two-digits", "four-digits", "number"):
        is_refused(talk, f"gives_status?{bad}")


@probe(21, "a character that ISO-8859-1 has not is an error")
def characters_beyond_latin_1(talk):
    for target in ("gives_header?unicode", "gives_status?unicode"):
        response = talk.ask(target)
        if response.is_error:
            continue
        text = f"{response.field('X-Bad') or ''}{response.reason}"
        need("\xe2\x98\x83" not in text, "sends it as UTF-8")
        raise Fault(f"loses it without an error: {response}")


@probe(21, "the characters of ISO-8859-1 are sent as that")
def characters_of_latin_1(talk):
    response = talk.ask("gives_header?latin")
    sent = (response.field("X-Good") or "").encode("latin-1")
    need(sent == b"caf\xe9", f"sends {sent!r}" if sent else f"answers {response}")


@probe(22, "headers are a list of tuples of two str")
def the_types_of_headers(talk):
    for bad in ("bytes", "number", "pair-list", "triple"):
        response = talk.ask(f"gives_header?{bad}")
        prefer(response.is_error, f"takes {BAD[bad]!r}")


@probe(22, "the list of headers is a list")
def the_type_of_the_list(talk):
    is_refused(talk, "gives_no_list?tuple", "takes a tuple")
    is_refused(talk, "gives_no_list?dict", "takes a dict")
