"""The applications of tests/apps behind wsgiref.validate.validator: WSGI_TEST_VALIDATE=1.

The validator stands between server and application and raises AssertionError for what either does
against PEP 3333, which the tests then see as a 500.
"""

import re

import runs

WANTED = runs.is_on("validated")

# The module keeps its own name, for what the application imports or prints.
WRAPPER = """\
import importlib
import sys
from wsgiref.validate import validator

sys.path.append({folder!r})
module = importlib.import_module({module!r})
app = validator(module.{expression})
"""


def wrap(configuration, apps, prefix):
    """The configuration with every application of the folder `apps` replaced by a wrapped one."""
    pattern = re.compile(rf"wsgi_app {re.escape(str(apps))}/(\w+)\.py ([\w.()]+);")

    def one(found):
        module, expression = found.groups()
        name = re.sub(r"\W", "_", f"validated_{module}_{expression}")
        text = WRAPPER.format(folder=str(apps), module=module, expression=expression)
        (prefix / f"{name}.py").write_text(text)
        return f"wsgi_app {prefix}/{name}.py app;"

    return pattern.sub(one, configuration)


HIDDEN = "the validator hides of what type, and how long, the application's iterable is"
FORM = "it refuses this application by itself, and with another exception"

# Tests (by a part of their names) whose application trips the validator, and is to.
EXEMPT = {
    "test_bad_lists_of_headers": FORM,
    "test_legal[bytes_subclass": "it wants bytes themselves",
    "test_legal[str_subclass": "it wants str itself",
    "test_late_start_response": "a block, though an empty one, comes before start_response",
    "test_no_body_allowed": "a 204 and a 304 have a Content-Type",
    "test_no_content_type": "a response has no Content-Type",
    "-/read]": "read() without a size, which PEP 3333 does not know",
    "test_pieces_arrive_as_they_are_sent": "read1(), which PEP 3333 does not know",
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
    "test_interrupt_never_hits_the_next_request": "the validator is in the stack that is logged",
    "test_refused": "the configuration is what is refused",
}


def exemption(name):
    """Why a test is not run with the validator; None if it is."""
    reasons = (reason for part, reason in EXEMPT.items() if WANTED and part in name)
    return next((f"not validated: {reason}" for reason in reasons), None)
