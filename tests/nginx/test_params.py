"""Many directives wsgi_param: each key has its own value, also with the keys of TLS."""

import pytest

from telling import environ_of

COUNT = 300
PARAMS = "".join(f'wsgi_param NUMBER_{n} "{n} of $request_uri";' for n in range(COUNT))
CONF = f"location / {{ wsgi_app @APPS@/environ.py app; {PARAMS} }}"
TLS = """
    server {
        listen 127.0.0.1:@OTHER_PORT@ ssl;
        ssl_certificate @PREFIX@/cert.pem; ssl_certificate_key @PREFIX@/key.pem;
        %s
    }
"""


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_each_of_many_params_has_its_value(nginx, tls):
    server = nginx.prepare(CONF, http=TLS % CONF)
    server.make_certificate()
    server.start()
    with server.connect(server.other_port if tls else server.port, tls=tls) as connection:
        for path in ("/one", "/" + "long" * 200):
            environ = environ_of(connection.ask(path))
            for n in range(COUNT):
                assert environ[f"NUMBER_{n}"] == f"{n} of {path}", "its own value"
            for key in ("SSL_PROTOCOL", "SSL_CIPHER"):
                assert (key in environ) == tls, "the keys of TLS are added"
