"""What the nginx under test can do: its version, and the options of its build."""

import re
import subprocess

import server


def _ask():
    done = subprocess.run([server.NGINX, "-V"], capture_output=True, text=True, check=True)
    return done.stderr


_SAID = _ask()
VERSION = tuple(int(part) for part in re.search(r"nginx/(\d+)\.(\d+)", _SAID).groups())

# nginx has "early_hints" since 1.29.0.
EARLY_HINTS = VERSION >= (1, 29)
HTTP_3 = "--with-http_v3_module" in _SAID
