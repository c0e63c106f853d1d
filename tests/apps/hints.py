"""Applications that hint at the links of their response.

/key              whether environ has wsgi.early_hints: "True" or "False"
/one              one hint of two links, then "hinted"
/gate?GATE        a hint, then waits at the gate, then a hint, then "hinted"
/late             a block, a hint, a block
/many?N           N hints of 1000 bytes, then "hinted"
/fails            a hint, then an exception
/refused          the exception for a value with a line break
"""

from urllib.parse import unquote

CSS = ("Link", "</a.css>; rel=preload; as=style")
JS = ("Link", "</b.js>; rel=preload; as=script")


def late(hint):
    yield b"first"
    hint([CSS])
    yield b"second"


def gate(hint, query):
    hint([CSS])
    with open(unquote(query)) as pipe:
        pipe.read()
    hint([JS])


def refused(hint):
    try:
        hint([("Link", "a\r\nX: b")])
    except ValueError as error:
        return str(error)


def app(environ, start_response):
    path, query = environ["PATH_INFO"], environ["QUERY_STRING"]
    body = "hinted"
    if path == "/key":
        body = str("wsgi.early_hints" in environ)
    elif path != "/late":
        hint = environ["wsgi.early_hints"]
        if path == "/one":
            hint([CSS, JS])
        elif path == "/gate":
            gate(hint, query)
        elif path == "/many":
            for number in range(int(query)):
                hint([("X-Number", f"{number:0992}")])
        elif path == "/fails":
            hint([CSS])
            raise ValueError("after a hint")
        elif path == "/refused":
            body = refused(hint)
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-Final", "1")])
    if path == "/late":
        return late(environ["wsgi.early_hints"])
    return [body.encode()]
