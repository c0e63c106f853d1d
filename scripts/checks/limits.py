"""Whether each text states the limits and defaults that the sources have.

The default of each directive is read from the module (the macros that initialise and merge its
configuration) and from the page that describes it. All other limits are in LIMITS: the constant, and
the words next to its number in each text that states it, where {} is the number. A change of these
words changes the row.
"""

import math
import re

PAGES = ("docs/directives.md", "docs/responses.md")
HEADER = "include/wsgi.h"

# A file, its constant, and the sentences, each with its file. A file is found by its name.
LIMITS = [
    ("wsgi.h", "WSGI_MAX_THREADS", [
        ("directives.md", "*`nginx -t` refuses* more than {}."),
    ]),
    ("ngx_http_wsgi_module.c", "ngx_http_wsgi_max_queue_bounds", [
        ("directives.md", "*`nginx -t` refuses* 0 and more than {}."),
    ]),
    ("settings.rs", "STACK_SIZE", [
        ("wsgi.h", "The threads of the library have {}"),
    ]),
    ("settings.rs", "MIN_LOG_LINE", [
        ("wsgi.h", "no limit; the least is {}"),
    ]),
    ("app.rs", "FIRST_PAUSE", [
        ("wsgi.h", "The pause is {}, and"),
        ("errors.md", "After a pause of {}"),
    ]),
    ("app.rs", "LAST_PAUSE", [
        ("wsgi.h", "doubles up to {}"),
        ("errors.md", "doubles the pause, up to {}"),
    ]),
    ("upload.rs", "CAPACITY", [
        ("wsgi.h", "at most {} besides"),
        ("directives.md", "is slowed down. At most {}"),
        ("architecture.md", "At most {} of a body"),
    ]),
    ("input.rs", "ON_TRUST", [
        ("architecture.md", "stated, up to {}"),
    ]),
    ("buffer.rs", "KEEP_FROM", [
        ("architecture.md", "A block under {}"),
    ]),
    ("response.rs", "HINTS_SIZE", [
        ("early_hints.rs", "more than {} in one request"),
        ("directives.md", "More than {} in one request"),
    ]),
    ("response.rs", "HINT_COST", [
        ("early_hints.rs", "each call counts {}"),
    ]),
    ("response.rs", "FIELD_COST", [
        ("early_hints.rs", "and each field {}"),
    ]),
    ("line.rs", "LIMIT", [
        ("architecture.md", "At most {} of log lines"),
    ]),
    ("line.rs", "COST", [
        ("architecture.md", "Each line counts {}"),
    ]),
    ("line.rs", "MOST", [
        ("architecture.md", "Above {} their lines"),
    ]),
    ("hub.rs", "TURN", [
        ("wsgi.h", "log lines or {}"),
        ("architecture.md", "log lines, and stops after {}"),
    ]),
    ("inline.rs", "TURN", [
        ("wsgi.h", "after {} the others wait"),
        ("directives.md", "After {} of Python"),
    ]),
    ("ngx_http_wsgi_send.c", "NGX_HTTP_WSGI_SLICE", [
        ("architecture.md", "copied slices of {}"),
    ]),
    ("ngx_http_wsgi_spill.c", "NGX_HTTP_WSGI_SMALL", [
        ("directives.md", "a response keeps {} in memory"),
        ("directives.md", "responses that can hold their {}"),
    ]),
    ("ngx_http_wsgi_spill.c", "NGX_HTTP_WSGI_TURN", [
        ("directives.md", "has written {} of all responses"),
    ]),
    ("ngx_http_wsgi_exhausted.c", "NGX_HTTP_WSGI_LEAVE_TIMEOUT", [
        ("directives.md", "or for {} if that is not set"),
        ("errors.md", "`worker_shutdown_timeout`, or {} if that"),
        ("errors.md", "or for {} if that is not set"),
    ]),
    ("ngx_http_wsgi_timer.c", "NGX_HTTP_WSGI_MIN_RATE", [
        ("directives.md", "takes less than {} a second"),
        ("errors.md", "took less than {} a second"),
    ]),
]

SAME = {
    1: ("", "bytes", "ms", "millis", "milliseconds"),
    1000: ("s", "secs", "seconds"),
    1024: ("k", "kb", "kib"),
    1024**2: ("m", "mb", "mib"),
}
UNITS = {unit: factor for factor, units in SAME.items() for unit in units}
BETWEEN = r"\s+(?:/+|\*|\\)?\s*"  # words, also with a line break of a comment or of a string
AMOUNT = r"(\d+(?:\s?[a-zA-Z]+)?)"
COMMAND = re.compile(r'ngx_string\("(wsgi_\w+)"\),[^}]*?offsetof\(ngx_http_wsgi_\w+, ([\w.]+)\)')
MERGED = re.compile(
    r"ngx_conf_(?:init|merge)_\w+\(\s*\w+->([\w.]+),\s*(?:[\w.]+->[\w.]+,\s*)?([^;]*)\);"
)
STATED = re.compile(r"^Default: +(wsgi_\w+) (\S+);$", re.M)
WORDS = {"on": "1", "off": "0", "NULL": "0", "NGX_CONF_BITMASK_SET": "0"}


class Sources:
    """The texts of the repository, found by the names of their files."""

    def __init__(self, root):
        self.root = root

    def paths(self, name):
        folders = ("src", "ngx_module", "include", "docs")
        return [path for folder in folders for path in sorted((self.root / folder).rglob(name))]

    def constant(self, file, name):
        """The value of a constant of Rust or C. If it is one of nginx's bounds, the upper bound."""
        forms = [rf"const {name}: \w+ = (.*?);", rf"^#define {name} +(.*)$"]
        bounds = rf"\b{name} =\s*{{.*, (\w+) }};"
        definition = re.compile("|".join([*forms, bounds]), re.M)
        for path in self.paths(file):
            if found := definition.search(path.read_text()):
                return self.value(next(filter(None, found.groups())), file)
        return None

    def value(self, text, file):
        """The value of an expression such as `16 * LIMIT`, `Duration::from_secs(1)` or `256k`.

        None if there is no such constant.
        """
        factors = [self.factor(word.strip(" ()"), file) for word in text.split("*")]
        return None if None in factors else math.prod(factors)

    def factor(self, word, file):
        word = WORDS.get(word, word)
        if amount := re.fullmatch(r"(\d+)\s?([a-zA-Z]*)", word):
            return int(amount[1]) * UNITS[amount[2].lower()]
        if duration := re.fullmatch(r"Duration::from_(\w+)\((\d+)", word):
            return int(duration[2]) * UNITS[duration[1]]
        return self.constant("wsgi.h" if word.startswith("WSGI_") else file, word)


def wrong_defaults(sources):
    module = "\n".join(path.read_text() for path in sources.paths("ngx_http_wsgi_*.c"))
    defaults = dict(MERGED.findall(module))
    fields = dict(COMMAND.findall(module))
    for page in PAGES:
        for directive, stated in STATED.findall((sources.root / page).read_text()):
            default = defaults.get(fields.get(directive, directive.removeprefix("wsgi_")))
            if default is None:
                yield f"{page}: the module has no default for {directive}"
            elif default != stated and sources.value(default, "") != sources.value(stated, ""):
                yield f"{page}: the default of {directive} is {stated}, the module has {default}"


def stated(sentence, text):
    """The amounts that a text has instead of {} in a sentence. Line breaks may be anywhere."""
    words = [re.escape(word) for word in sentence.split()]
    pattern = BETWEEN.join(words).replace(r"\{\}", AMOUNT)
    return re.findall(pattern, text)


def wrong_limits(sources, limits):
    for file, name, places in limits:
        value = sources.constant(file, name)
        if value is None:
            yield f"there is no {name} in {file}: change the row of scripts/checks/limits.py"
            continue
        for page, sentence in places:
            texts = [path.read_text() for path in sources.paths(page)]
            amounts = [amount for text in texts for amount in stated(sentence, text)]
            if not amounts:
                yield f'{page} does not say "{sentence}": change its row, scripts/checks/limits.py'
            for amount in amounts:
                if sources.value(amount, "") != value:
                    yield f'{page} says "{sentence.format(amount)}"; {name} of {file} is {value}'


def faults(root, limits=LIMITS):
    sources = Sources(root)
    yield from wrong_defaults(sources)
    yield from wrong_limits(sources, limits)
