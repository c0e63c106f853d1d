"""Compares the numbered lines of docs/errors.md with the sources, and with logs.

`described()` reads the page. `faults()` compares it with the string literals of src and ngx_module,
for check-docs. `unlike()` compares it with lines that nginx wrote, for the harness of tests/nginx.

In the page, `<…>` stands for words that differ from line to line, or that some lines do not have.
"""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent
FIELDS = ("Severity", "Logged as", "Cause", "Outcome", "Action")

NUMBER = re.compile(r"WSGI\d{4}")
HOLE = re.compile(r"<[^<>]*>")
BLOCK = re.compile(r"\*\*Logged as\.\*\*\n\n```text\n(.*?)^```$", re.S | re.M)
SEVERITY = re.compile(r"\*\*Severity\.\*\* ([a-z ]+)")
SEVERITIES = {"ERR": "error", "Error": "error"}
NO_SEVERITY = "none"

COMMENT = r"//[^\n]*|/\*.*?\*/"
TOKEN = re.compile(rf"""({COMMENT})|b?'(?:\\.|[^'\\])'|b?("(?:\\.|[^"\\])*")""", re.S)
ADJACENT = re.compile(r'"\s+"')
ESCAPE = re.compile(r"\\(\n\s*|.)", re.S)
RUST_HOLE = re.compile(r"\{[^{}]*\}")
C_HOLE = re.compile(r"%(?:\*?s|[a-zA-Z]+)")
UNIT_TESTS = re.compile(r"^#\[cfg\(test\)\]\nmod \w+ \{", re.M)
# In Rust the level is behind the text, in the same function. In C it is before the text.
RUST_LEVEL = re.compile(r"\bLevel::(\w+)|^ {0,4}\}$", re.M)
C_LEVEL = re.compile(r"\bNGX_LOG_(\w+)")

NUMBERED = re.compile(r"(WSGI\d{4})[^\n]*")
# What nginx writes before the text of a line. A line without it went to standard error.
PREFIX = re.compile(r"(?:\S+ \S+ |nginx: )\[(\w+)\] (?:\d+#\d+: )?(?:\*\d+ )?|")
# nginx cuts a line at 2048 bytes.
LONGEST = 1900


class Line:
    """The description of one number: its severities, and each form of its text."""

    def __init__(self, number, section):
        self.number = number
        severity = SEVERITY.search(section)
        self.severities = set(severity[1].split(" or ")) if severity else set()
        block = BLOCK.search(section)
        # The page indents the continuation of a long line.
        text = re.sub(r"\n +", " ", block[1]) if block else ""
        self.forms = text.splitlines()

    def has(self, severity, text):
        """Whether a text with this severity is the beginning of one of these lines."""
        return severity in self.severities and any(fits(form, text) for form in self.forms)


def fits(form, text):
    """Whether a text begins like a form of the page."""
    return re.match(".*".join(map(re.escape, HOLE.split(form))), text) is not None


class Literal:
    """A string literal of a source with the number of a line, and usually with its text."""

    def __init__(self, place, pieces, severity):
        self.place, self.pieces, self.severity = place, pieces, severity
        self.number = pieces[0][:8]
        self.is_bare = pieces == [self.number]

    def begins(self, form):
        """Whether a form of the page begins like this text, with any words in the gaps."""
        return re.match(".*".join(map(re.escape, self.pieces)), form) is not None


def page():
    return (ROOT / "docs/errors.md").read_text()


def sections(text):
    """(number, section) of the page, in its order."""
    for section in re.split(r"^## ", text, flags=re.M)[1:]:
        yield section[:8], section


def described(text=None):
    return {number: Line(number, section) for number, section in sections(text or page())}


def sources():
    """The path and the text of each source that can write to a log, without its tests."""
    for folder, pattern in (("src", "*.rs"), ("ngx_module", "*.[ch]")):
        for path in sorted((ROOT / folder).rglob(pattern)):
            path = path.relative_to(ROOT)
            if "tests" not in (*path.parts, path.stem):
                yield path, UNIT_TESTS.split((ROOT / path).read_text())[0]


def literals(path, text):
    """Each string literal of a source: its position, and its words between the gaps."""
    is_c = path.suffix != ".rs"
    if is_c:
        text = ADJACENT.sub(lambda found: "\0" * len(found[0]), text)
    for token in TOKEN.finditer(text):
        if not token[2]:
            continue
        inside = ESCAPE.sub(unescaped, token[2][1:-1].replace("\0", ""))
        hole = C_HOLE if is_c else RUST_HOLE
        yield token.start(), token.end(), hole.split(inside)


def unescaped(found):
    if found[1].isspace():
        return ""
    return {"n": "\n", "t": "\t", "r": "\r", "0": "\0"}.get(found[1], found[1])


def severity(path, text, start, end):
    """The severity next to a literal; None if another function chooses it."""
    if path.suffix == ".rs":
        found = RUST_LEVEL.search(text, end)
        name = found[1] if found else None
    else:
        names = C_LEVEL.findall(text, 0, start)
        name = names[-1] if names else None
    return SEVERITIES.get(name, name.lower()) if name else None


def read_sources():
    """The literals with a number, and all runs of words of all literals."""
    numbered, runs = [], set()
    for path, text in sources():
        for start, end, pieces in literals(path, text):
            runs.update(piece for piece in pieces if len(piece) > 3 or not piece.isalnum())
            if NUMBER.match(pieces[0]):
                numbered.append(Literal(path, pieces, severity(path, text, start, end)))
    return numbered, runs - {""}


def is_made_of(text, runs):
    """Whether a text consists of complete runs of the sources, one after the other."""
    ends = {0}
    for end in range(1, len(text) + 1):
        if any(text[start:end] in runs for start in ends):
            ends.add(end)
    return len(text) in ends


def faults():
    """Each difference between the page and the sources, as the end of a sentence about the page."""
    lines = described()
    numbered, runs = read_sources()
    yield from wrong_sections(lines, {literal.number for literal in numbered})
    for literal in numbered:
        line = lines.get(literal.number)
        if not line or literal.is_bare:
            continue
        if not any(literal.begins(form) for form in line.forms):
            text = "<…>".join(literal.pieces)
            yield f"does not have the line of {literal.place} as it stands: {text}"
        if literal.severity and literal.severity not in line.severities:
            yield f"does not say that {literal.number} is logged as {literal.severity}"
    for line in lines.values():
        of_this = [literal for literal in numbered if literal.number == line.number]
        for form in line.forms:
            if not any(literal.is_bare or literal.begins(form) for literal in of_this):
                yield f"has a line that no source writes: {form}"
            for words in HOLE.split(form):
                if not is_made_of(words, runs):
                    yield f"has words that no source has: {words!r} of {form}"


def wrong_sections(lines, there):
    described_numbers = [number for number, _ in sections(page())]
    for number in sorted(there - set(described_numbers)):
        yield f"does not describe {number}"
    for number in described_numbers:
        if number not in there:
            yield f"describes {number}, which no source has"
        if described_numbers.count(number) > 1:
            yield f"describes {number} more than once"
    if described_numbers != sorted(described_numbers):
        yield "is not in the order of its numbers"
    for number, section in sections(page()):
        places = [section.find(f"**{field}.**") for field in FIELDS]
        if -1 in places or places != sorted(places):
            yield f"does not have {', '.join(FIELDS)} of {number}, in this order"
        if not lines[number].severities or not lines[number].forms:
            yield f"does not have the severity and the text of {number}"


def unlike(log, lines):
    """The numbered lines of a log whose words or severity differ from the page."""
    for found in NUMBERED.finditer(log):
        start = log.rfind("\n", 0, found.start()) + 1
        prefix = PREFIX.fullmatch(log, start, found.start())
        if prefix and len(found[0]) < LONGEST:
            line = lines.get(found[1])
            if not line or not line.has(prefix[1] or NO_SEVERITY, found[0]):
                yield log[start : found.end()]
