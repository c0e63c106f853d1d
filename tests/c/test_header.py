"""include/wsgi.h compiles by itself, in C and in C++, with every warning that is of use."""

import subprocess

import pytest
from conftest import CC, CXX, ROOT, WARNINGS


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
    subprocess.run(command, input=twice, text=True, check=True)
