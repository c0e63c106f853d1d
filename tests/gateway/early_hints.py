"""Applications for early_hints.rs. The docstring of a function describes what it does."""

import threading

KEPT = []


def answer(start_response, text):
    start_response("200 OK", [])
    return [text.encode()]


def has_key(environ, start_response):
    """Answers whether there is a wsgi.early_hints."""
    return answer(start_response, str("wsgi.early_hints" in environ))


def two_hints(environ, start_response):
    """Sends hints with two links, with nothing, and with one more link."""
    hint = environ["wsgi.early_hints"]
    hint([("Link", "</a.css>; rel=preload"), ("Link", "</b.js>; rel=preload")])
    hint([])
    hint([("Link", "</c>")])
    return answer(start_response, "hinted")


def between(environ, start_response):
    """Sends a hint between start_response and the first block."""
    blocks = answer(start_response, "hinted")
    environ["wsgi.early_hints"]([("Link", "</a>")])
    return blocks


def too_late(environ, start_response):
    """Sends a hint between two blocks."""
    start_response("200 OK", [])
    yield b"first"
    environ["wsgi.early_hints"]([("Link", "</a>")])
    yield b"second"


def unfit(environ, start_response):
    """Sends a hint with a length, a header of the connection, and a header that is allowed."""
    unfit = [("Content-Length", "5"), ("Connection", "close")]
    environ["wsgi.early_hints"]([*unfit, ("X-Fit", "1")])
    return answer(start_response, "hinted")


def refusal(hint, *hints):
    try:
        hint(*hints)
    except Exception as error:
        return error
    return None


def wrong(environ, start_response):
    """Answers with the exceptions for five values that are not lists of headers."""
    wrong = [{"Link": "</a>"}, ["Link"], [("Link", b"</a>")], [("Li nk", "a")], [("Link", "\n")]]
    errors = [refusal(environ["wsgi.early_hints"], hints) for hints in wrong]
    return answer(start_response, " ".join(type(error).__name__ for error in errors))


def endless(environ, start_response):
    """Sends hints of one kilobyte without an end."""
    while True:
        environ["wsgi.early_hints"]([("X", "x" * 999)])


def endless_short(environ, start_response):
    """Sends hints of two bytes without an end."""
    while True:
        environ["wsgi.early_hints"]([("X", "x")])


def many_fields(environ, start_response):
    """Sends one hint with a thousand fields of two bytes."""
    environ["wsgi.early_hints"]([("X", "x")] * 1000)


def on_another_thread(environ, start_response):
    """Sends a hint on another thread, and waits for the thread."""
    hint = environ["wsgi.early_hints"]
    thread = threading.Thread(target=lambda: hint([("Link", "</a>")]))
    thread.start()
    thread.join()
    return answer(start_response, "hinted")


def caught(environ, start_response):
    """Sends two hints to a client that is gone, and prints what each call raises."""
    for number in (1, 2):
        print(f"hint {number}: {refusal(environ['wsgi.early_hints'], [('Link', '</a>')])!r}")
    return answer(start_response, "hinted")


def kept(environ, start_response):
    """Keeps the callable. In the next request, calls it and answers with what it raises."""
    if not KEPT:
        KEPT.append(environ["wsgi.early_hints"])
        return answer(start_response, "keeping")
    error = refusal(KEPT.pop(), [("Link", "</a>")])
    return answer(start_response, f"{type(error).__name__}: {error}")
