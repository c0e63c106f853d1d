def hello_world(environ, start_response):
    body = b'Hello world!\n'
    start_response('200 OK', [('Content-type', 'text/plain')])
    return [body]
