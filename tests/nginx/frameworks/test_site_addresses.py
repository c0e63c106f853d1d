"""Addresses: names in any script, sites below a prefix, links and redirects that work."""

from urllib.parse import quote, urlsplit

import pytest
from asking import SITES, WAYS, ask

NAMES = ["plain", "caf\xe9", "\u65e5\u672c\u8a9e", "\U0001f600", "a b", "50%", "a+b&c=d", "%41"]
HOSTS = {"HTTP/1.1": "localhost", "HTTP/2": "h2.test"}
MOUNTS = [*SITES, "arriving/django", "mounted", "mounted/inner", "tree"]

# The frameworks that redirect /deep to /deep/, and their status.
SLASHES = {"flask": 308, "django": 301, "pyramid": 307, "cherrypy": 301, "tree": 301}
SLASHES["mounted/inner"] = 308


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("mount", MOUNTS)
def test_a_link_leads_to_its_page(server, mount, way):
    for name in NAMES:
        made = ask(server, way, f"/{mount}/hello/{quote(name)}").json()
        assert made["name"] == name, "the path as the framework expects it"
        assert made["path"].startswith(f"/{mount}/hello/"), "the link has the prefix"
        assert made["url"] == f"http://{HOSTS[way]}{made['path']}", "the link has the host"
        again = ask(server, way, made["path"]).json()
        assert again == made, "the link leads to the same page"


def follow(server, location, mount, base):
    """Requests the target of a redirect, which may be a path or a whole address."""
    if not location.startswith("/"):
        assert location.startswith(base), f"{location} begins with the scheme, host and port"
    path = urlsplit(location).path
    assert path.startswith(f"/{mount}/"), f"{location} is below the prefix"
    return server.ask(path)


PORTS = {"http": "port", "https": "other_port"}


@pytest.mark.parametrize("scheme", PORTS)
@pytest.mark.parametrize("mount", MOUNTS)
def test_a_redirect_leads_to_its_page(server, mount, scheme):
    port = getattr(server, PORTS[scheme])
    host, base = f"localhost:{port}", f"{scheme}://localhost:{port}/"
    with server.connect(port, tls=scheme == "https") as connection:
        moved = connection.ask(f"/{mount}/moved", host=host)
        assert moved.status in (302, 303), "a redirect"
        page = follow(server, moved.header("Location"), mount, base)
        assert b'"caf\\u00e9"' in page.body or "caf\xe9" in page.text, "the right page"
        deep = connection.ask(f"/{mount}/deep", host=host)
        if mount in SLASHES:
            assert deep.status == SLASHES[mount], "the framework adds a slash"
            assert follow(server, deep.header("Location"), mount, base).text == "deep"


@pytest.mark.parametrize("mount", MOUNTS)
def test_absolute_links_over_tls_have_https(server, mount):
    port = server.other_port
    with server.connect(port, tls=True) as connection:
        response = connection.ask(f"/{mount}/hello/x", host=f"localhost:{port}")
        assert f"https://localhost:{port}/{mount}/hello/x" in response.text, "scheme, host and port"


def test_a_host_without_a_port(server):
    """Without Host the framework has only nginx's own values: server_name, and the port."""
    for mount in ("flask", "bottle", "pyramid", "falcon"):
        response = server.ask(f"/{mount}/hello/x", host=None, version="HTTP/1.0")
        assert f"http://localhost:{server.port}/{mount}/hello/x" in response.text, mount


@pytest.mark.parametrize("who", SITES)
def test_a_path_that_is_not_utf8(server, who):
    """Frameworks differ: Pyramid raises URLDecodeError, for which a site may have a view."""
    response = server.ask(f"/{who}/hello/%FF%FE")
    assert response.status in ((500,) if who == "pyramid" else (200, 400, 404)), "its own answer"


@pytest.mark.parametrize("who", SITES)
def test_a_path_outside_the_prefix_is_not_found(server, who):
    assert server.ask(f"/{who}").status in (301, 404), "nginx's own answer"
    assert server.ask(f"/{who}y/local").status == 404, "not an application's answer"
