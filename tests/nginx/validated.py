"""The applications of tests/apps behind wsgiref.validate.validator: WSGI_TEST_VALIDATE=1.

The validator stands between server and application. It raises AssertionError for each offence of
either against PEP 3333, and the tests then get a 500.
"""

import re

import runs

WANTED = runs.is_on("validated")

# The module keeps its own name, because applications import or print it.
WRAPPER = """\
import importlib
import sys
from wsgiref.validate import validator

sys.path.append({folder!r})
module = importlib.import_module({module!r})
app = validator(module.{expression})
"""


def wrap(configuration, apps, prefix):
    """The configuration with a wrapped application for each application of the folder `apps`."""
    pattern = re.compile(rf"wsgi_app {re.escape(str(apps))}/(\w+)\.py ([\w.()]+);")

    def one(found):
        module, expression = found.groups()
        name = re.sub(r"\W", "_", f"validated_{module}_{expression}")
        text = WRAPPER.format(folder=str(apps), module=module, expression=expression)
        (prefix / f"{name}.py").write_text(text)
        return f"wsgi_app {prefix}/{name}.py app;"

    return pattern.sub(one, configuration)


HIDDEN = "the validator hides the type and the length of the application's iterable"
FORM = "the validator refuses this application itself, with another exception"

# Parts of the names of tests whose application the validator must refuse.
EXEMPT = {
    "test_bad_lists_of_headers": FORM,
    "test_legal[bytes_subclass": "the validator accepts only bytes itself",
    "test_legal[str_subclass": "the validator accepts only str itself",
    "test_late_start_response": "a block, though an empty one, comes before start_response",
    "test_no_body_allowed": "a 204 and a 304 have a Content-Type",
    "test_no_content_type": "a response has no Content-Type",
    "-/read]": "read() without a size, which PEP 3333 does not have",
    "test_pieces_arrive_as_they_are_sent": "read1(), which PEP 3333 does not have",
    "test_no_100_within_a_response": "read1()",
    "test_body_breaks_off_within_the_response": "read1()",
    "test_pieces_over": "read1()",
    "test_hello_world": HIDDEN,
    "test_one_piece_has_a_length": HIDDEN,
    "test_len_that_lies": HIDDEN,
    "test_http_1_0": HIDDEN,
    "test_a_list_frees_its_thread_at_once": HIDDEN,
    "test_five_hundred_slow_readers": HIDDEN,
    "test_large_bytes_are_not_copied": HIDDEN,
    "test_a_file_of_four_gigabytes": HIDDEN,
    "test_files_are_sent_by_sendfile": HIDDEN,
    "test_interrupt_never_hits_the_next_request": "the logged stack has the validator",
    "test_refused": "nginx refuses the configuration",
}


def exemption(name):
    """The reason why a test does not run with the validator; None if it runs."""
    reasons = (reason for part, reason in EXEMPT.items() if WANTED and part in name)
    return next((f"not validated: {reason}" for reason in reasons), None)
