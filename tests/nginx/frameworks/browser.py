"""A browser: keeps cookies, and fills in the token against forged requests."""

import re

from forms import URLENCODED, form


class Browser:
    """Over TLS it sends the origin of a form, as browsers do."""

    def __init__(self, server, tls=False):
        self.server, self.tls = server, tls
        self.port = server.other_port if tls else server.port
        self.host = f"localhost:{self.port}"
        self.cookies = {}
        self.page = None

    def ask(self, path, method="GET", headers=(), **how):
        if self.cookies:
            pairs = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
            headers = [*headers, ("Cookie", pairs)]
        with self.server.connect(self.port, tls=self.tls) as connection:
            self.page = connection.ask(path, method, headers=headers, host=self.host, **how)
        for cookie in self.page.all("Set-Cookie"):
            name, value = cookie.split(";")[0].split("=", 1)
            self.cookies[name] = value
        return self.page

    def submit(self, path, origin=None, **fields):
        """Sends the form of the last page with its token."""
        token = re.search('name="csrfmiddlewaretoken" value="([^"]+)"', self.page.text)[1]
        origin = origin or ("https://" if self.tls else "http://") + self.host
        headers = [URLENCODED, ("Origin", origin), ("Referer", origin + path)]
        body = form(csrfmiddlewaretoken=token, **fields)
        return self.ask(path, "POST", headers=headers, body=body)
