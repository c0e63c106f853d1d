"""Looks at all of environ, reads the body and returns it, in the way that QUERY_STRING names."""


def blocks(body):
    for at in range(0, len(body), 7):
        yield body[at : at + 7]


def app(environ, start_response):
    how = sum(environ["QUERY_STRING"].encode("latin-1")) % 8
    size = len(repr(sorted(environ.items(), key=lambda item: item[0])))
    if how == 1:
        raise ValueError("before start_response")
    try:
        body = environ["wsgi.input"].read(5000) if how != 2 else b"unread"
    except OSError:
        body = b"broken"
    headers = [("Content-Length", str(len(body)))] if how in (3, 4) else []
    write = start_response("200 OK" if how != 5 else "304 Not Modified", headers)
    if how == 6:
        write(body)
        return [body]
    if how == 4:
        return [body + b"more than was stated"]
    return blocks(body + b"%d" % size) if how == 0 else [body] * (how == 3) or blocks(body)
