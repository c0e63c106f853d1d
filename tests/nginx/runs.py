"""The runs of these tests, and which tests take part.

`make test` runs all files four times: unchanged, with applications on nginx's own thread, with the
applications of tests/apps behind wsgiref's validator, and with a newer nginx and Python. A file, or
a test, takes part in each of them unless a mark gives a reason: not_inline, not_validated or
not_newer.

    pytestmark = pytest.mark.not_inline("its threads are its subject")
"""

import os

VARIABLES = {
    "inline": "WSGI_TEST_INLINE",
    "validated": "WSGI_TEST_VALIDATE",
    "newer": "WSGI_TEST_NEWER",
}


def is_on(run):
    """Is this run of that kind? One run is validated and has a newer nginx and Python."""
    return os.environ.get(VARIABLES[run]) == "1"


def declare(config):
    for run in VARIABLES:
        text = f"not_{run}(reason): takes no part in the run with {VARIABLES[run]}=1"
        config.addinivalue_line("markers", text)


def objection(item):
    """The reason why a test takes no part in this run; None if it takes part."""
    for run in filter(is_on, VARIABLES):
        for mark in item.iter_markers(f"not_{run}"):
            return f"not {run}: {mark.args[0]}"
    return None
