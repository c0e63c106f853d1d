"""Servers for the sites: their configuration, and the files of their folder."""

import os
import re
import shutil
from pathlib import Path

HERE = Path(__file__).parent

# The configuration of a user. Then the same sites again, with unbuffered bodies or with sendfile().
CONF = (HERE / "sites.conf").read_text()


def again(place, settings):
    """The same sites below `place`, with other settings."""
    moved = re.sub(r"(location|wsgi_script_name +) */(?=\w+[/;])", rf"\1 /{place}/", CONF)
    return moved.replace("wsgi_script_name", f"{settings} wsgi_script_name")


ARRIVING = again("arriving", "wsgi_request_buffering off;")
SENDFILE = again("sendfile", "sendfile on; error_log @PREFIX@/sendfile.log debug;")
TLS = """
    listen 127.0.0.1:@OTHER_PORT@ ssl;
    ssl_certificate @PREFIX@/cert.pem;
    ssl_certificate_key @PREFIX@/key.pem;
    client_max_body_size 64m;
    large_client_header_buffers 4 32k;
"""


def prepare(factory, virtualenv, conf, http="", **how):
    http += f"wsgi_python_home {virtualenv}; wsgi_python_path @PREFIX@/sites;"
    prepared = factory.prepare(conf.replace("/srv/", "@PREFIX@/sites/"), http=http, **how)
    shutil.copytree(HERE / "sites", prepared.prefix / "sites")
    return prepared


def six(factory, virtualenv, **how):
    prepared = prepare(factory, virtualenv, TLS + CONF + ARRIVING + SENDFILE, **how)
    prepared.make_certificate()
    (prepared.prefix / "sites" / "served.bin").write_bytes(os.urandom(300_000))
    return prepared.start()
