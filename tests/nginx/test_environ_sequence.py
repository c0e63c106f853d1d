"""Requests that follow each other on one thread: no request sees a value of another one."""

import json
import random

import pytest

CONF = """
    location / { wsgi_app @APPS@/environ.py app; }
    location /other/ { root @PREFIX@/other; wsgi_script_name /other;
                       wsgi_app @APPS@/environ.py app; wsgi_param app.some $arg_some; }
    location /hello { wsgi_app @APPS@/hello.py hello_world; }
"""
NAMES = ["Accept", "Cookie", "X-A", "X-B", "x-b", "Content-Type", "X_B", "x_C", "X_c", "User-Agent"]
VALUES = ["", "a", "b", "caf\xe9", "x" * 1024, "y" * 1025]
JOINED = {"HTTP_COOKIE": "; ", "CONTENT_TYPE": None}


@pytest.fixture(scope="module")
def server(module_nginx):
    return module_nginx(CONF, http="wsgi_threads 1;")


@pytest.fixture(scope="module")
def server_with_underscores(module_nginx):
    return module_nginx("underscores_in_headers on;" + CONF, http="wsgi_threads 1;")


def expected(headers, with_underscores=False):
    """The environ keys and values for these fields."""
    keys = {}
    dashed = {name.upper() for name, _ in headers if "_" not in name}
    for name, value in headers:
        if "_" in name and (not with_underscores or name.upper().replace("_", "-") in dashed):
            continue
        key = name.upper().replace("-", "_")
        key = key if key == "CONTENT_TYPE" else f"HTTP_{key}"
        separator = JOINED.get(key, ", ")
        if key not in keys:
            keys[key] = value
        elif separator:
            keys[key] += separator + value
    return keys


def ask(connection, path, headers):
    return json.loads(connection.ask(path, headers=headers).text)


def of_fields(shown):
    values = {key: value for key, (_, value) in shown.items()}
    keys = [key for key in values if key == "CONTENT_TYPE" or key.startswith("HTTP_")]
    return {key: values[key] for key in keys if key not in ("HTTP_HOST", "HTTP_CONNECTION")}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("underscores", [False, True], ids=["dropped", "let in"])
def test_fields_of_one_request_are_not_in_the_next(request, underscores, seed):
    """With names that have underscores, which nginx drops or the administrator allows."""
    server = request.getfixturevalue("server_with_underscores" if underscores else "server")
    choose = random.Random(seed)
    with server.connect() as connection:
        for _ in range(60):
            # Often the names of the request before, with other values.
            names = choose.choices(NAMES, k=choose.choice([0, 1, 3, 3, 3, 40]))
            for _ in range(choose.randrange(1, 4)):
                headers = [(name, choose.choice(VALUES)) for name in names]
                shown = of_fields(ask(connection, "/", headers))
                assert shown == expected(headers, underscores)


def test_applications_and_locations_do_not_mix_their_keys(server):
    with server.connect() as connection:
        for some in ["1", "2", ""]:
            first = ask(connection, "/a?b", [])
            other = ask(connection, f"/other/a?some={some}", [])
            assert connection.ask("/hello").status == 200
            assert (first["SCRIPT_NAME"][1], other["SCRIPT_NAME"][1]) == ("", "/other")
            assert (first["PATH_INFO"][1], other["PATH_INFO"][1]) == ("/a", "/a")
            assert (first["QUERY_STRING"][1], other["QUERY_STRING"][1]) == ("b", f"some={some}")
            assert first["RAW_URI"] == first["REQUEST_URI"] == ["str", "/a?b"]
            assert first["DOCUMENT_ROOT"] != other["DOCUMENT_ROOT"]
            assert ("app.some" in first, other["app.some"][1]) == (False, some)
            assert "left by a request" not in first | other
