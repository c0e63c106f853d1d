"""The runs of these tests beside the plain one, and which tests take part.

`make test` runs all files four times: as they are, with applications on nginx's own thread, with those
of tests/apps behind wsgiref's validator, and with a newer nginx and Python. A file, or a test, takes
part in each of them unless it has a mark that says why not: not_inline, not_validated or not_newer.

    pytestmark = pytest.mark.not_inline("its threads are its subject")
"""

import os

VARIABLES = {
    "inline": "WSGI_TEST_INLINE",
    "validated": "WSGI_TEST_VALIDATE",
    "newer": "WSGI_TEST_NEWER",
}


def is_on(run):
    """Is this that run? With a newer nginx and Python there is a validated run too."""
    return os.environ.get(VARIABLES[run]) == "1"


def declare(config):
    for run in VARIABLES:
        text = f"not_{run}(reason): takes no part in the run with {VARIABLES[run]}=1"
        config.addinivalue_line("markers", text)


def objection(item):
    """Why a test takes no part in this run; None if it does."""
    for run in filter(is_on, VARIABLES):
        for mark in item.iter_markers(f"not_{run}"):
            return f"not {run}: {mark.args[0]}"
    return None
