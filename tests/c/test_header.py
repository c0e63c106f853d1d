"""include/wsgi.h compiles by itself, in C and in C++, with every warning that is of use."""

import subprocess

import pytest
from conftest import CC, CXX, ROOT, WARNINGS


# The initialisers must also work outside a function, where C requires constants.
INITIALISERS = """
extern wsgi_host host;
extern wsgi_request request;
extern wsgi_app_config app_config;
extern wsgi_runtime_config config;
extern wsgi_str (*text)(const char *);
wsgi_host host = WSGI_HOST_INIT;
wsgi_request request = WSGI_REQUEST_INIT;
wsgi_app_config app_config = WSGI_APP_CONFIG_INIT;
wsgi_runtime_config config = WSGI_RUNTIME_CONFIG_INIT;
wsgi_str (*text)(const char *) = wsgi_str_from;
"""


@pytest.mark.parametrize(
    "compiler",
    [
        [*CC, "-std=c99", "-x", "c"],
        [*CC, "-std=c11", "-x", "c"],
        [*CXX, "-std=c++11", "-x", "c++"],
        [*CXX, "-std=c++17", "-x", "c++"],
    ],
    ids=["c99", "c11", "c++11", "c++17"],
)
def test_the_header_compiles_alone(compiler):
    strict = [*WARNINGS, "-Wconversion", "-Wshadow", "-Wundef", "-Wwrite-strings"]
    command = [*compiler, *strict, "-fsyntax-only", f"-I{ROOT / 'include'}", "-"]
    twice = '#include "wsgi.h"\n#include "wsgi.h"\nextern int nothing;\n'
    subprocess.run(command, input=twice + INITIALISERS, text=True, check=True)
