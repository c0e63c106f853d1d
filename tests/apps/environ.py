"""Shows environ as JSON: each key with the name of its value's type and the value as text.

any path         {"KEY": ["str", "value"], ...}; the key "" has environ itself
"""

import json
import os


def app(environ, start_response):
    shown = {key: [type(value).__name__, str(value)] for key, value in environ.items()}
    shown[""] = [type(environ).__name__, ""]
    shown["leaked"] = ["list", sorted(key for key in os.environ if key in environ)]
    environ["left by a request"] = "yes"
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(shown).encode()]
