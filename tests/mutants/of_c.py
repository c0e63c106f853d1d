"""The mutants of ngx_module: simple changes of what stands in the bodies of C functions.

The text must have nginx's style: a function begins and ends with a brace in the first column,
operators have blanks around them, and each statement begins a line. What is done when the system has no
memory is left alone, since no test can bring it about, and so is how much memory is taken, since more
makes no difference.
"""

import re

from mutant import Mutant

BLANK = re.compile(
    r"(?s:/\*.*?\*/)|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|^#(?:.*\\\n)*.*", re.M
)
BODY = re.compile(
    r"^(?P<head>(?:\w[^\n]*\n|    \S[^\n]*\n)+)\{\n(?P<body>(?s:.*?))^\}", re.M
)

SWAPS = {
    "&&": ["||"],
    "||": ["&&"],
    "==": ["!="],
    "!=": ["=="],
    "<": ["<=", ">="],
    ">": [">=", "<="],
    "<=": ["<", ">"],
    ">=": [">", "<"],
    "+": ["-"],
    "-": ["+"],
    "|": ["&"],
    "&": ["|"],
    "+=": ["-=", "="],
    "-=": ["+=", "="],
    "|=": ["=", "&="],
    "&=": ["=", "|="],
}
OPERATOR = re.compile(r"(?<=\s)(&&|\|\||[=!<>]=|[-+|&]=|[<>+|&-])(?=\s)")
NOT = re.compile(r"!(?=[\w(])")
NUMBER = re.compile(r"(?<![\w.])(\d+)(?![\w.])")
CONDITION = re.compile(r"\bif \(")
CODE = re.compile(r"\breturn (NGX_OK|NGX_DECLINED|NGX_ERROR|NGX_AGAIN|NGX_DONE);")
OTHER_CODE = {"NGX_OK": "NGX_ERROR"}
STATEMENT = re.compile(r"^[ ]+(?=(?:\*?[a-z][\w.\[\]]*(?:->[\w.\[\]]+)*(?: [-+|&]?= |\+\+|\())|goto )", re.M)
JUMP = re.compile(r"^[ ]+(?P<jump>break|continue|return);", re.M)
WORDS = {"if", "for", "while", "switch", "return", "else", "do", "sizeof"}
NO_MEMORY = re.compile(
    r"(\S+) = ngx_(?:p\w*alloc|array_\w+|list_\w+|create_temp_buf|alloc_chain_link|\w+_cleanup_add)"
    r"\([^;]*;\s+if \(\1 == NULL\) \{(?P<then>[^}]*)\}"
)
SIZE = re.compile(r"ngx_p\w*alloc\([^;]*;")
LOG = re.compile(r"ngx_(?:conf_)?log_\w+|ngx_http_wsgi_log\w*")


def mutants(tree):
    """All that there are, in the order of the files."""
    for path in sorted((tree / "ngx_module").glob("*.c")):
        yield from of_text(str(path.relative_to(tree)), path.read_text())


def of_text(file, text):
    code = BLANK.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
    for function in BODY.finditer(code):
        name = re.findall(r"^(\w+)\(", function["head"], re.M)[-1]
        is_void = re.search(r"\bvoid$", function["head"].splitlines()[0]) is not None
        for start, end, replacement, what in changes(code, *function.span("body"), is_void):
            line = text.count("\n", 0, start) + 1
            yield Mutant(file, line, name, start, end, replacement, what)


def changes(code, begin, end, is_void):
    """(start, end, replacement, sentence) for each change of the body code[begin:end]."""
    left_alone = [span for span in statements(code, begin, end) if LOG.match(code, span[0])]
    left_alone += [found.span("then") for found in NO_MEMORY.finditer(code, begin, end)]

    def find(pattern):
        for found in pattern.finditer(code, begin, end):
            if not any(start <= found.start() < stop for start, stop in left_alone):
                yield found

    for found in find(OPERATOR):
        for other in SWAPS[found[1]]:
            yield *found.span(), other, f"{found[1]} becomes {other}"
    for found in find(NOT):
        yield *found.span(), "", "! is dropped"
    sizes = [found.span() for found in SIZE.finditer(code, begin, end)]
    for found in find(NUMBER):
        if any(start <= found.start() < stop for start, stop in sizes):
            continue
        other = str(int(found[1]) + 1 if found[1] != "1" else 0)
        yield *found.span(), other, f"{found[1]} becomes {other}"
    for found in find(CONDITION):
        start, stop = found.end() - 1, closing(code, found.end() - 1)
        yield start, stop, f"(!{code[start:stop]})", "the condition is negated"
    for found in find(CODE):
        other = OTHER_CODE.get(found[1], "NGX_OK")
        yield *found.span(1), other, f"{found[1]} is returned as {other}"
    for found in find(JUMP):
        yield *found.span("jump"), "", f"{found['jump']} is dropped"
    for start, stop in statements(code, begin, end):
        if not any(other <= start < end_of for other, end_of in left_alone):
            yield start, stop, ";", "the statement is dropped"
            if is_void:
                yield start, stop, "return;", "it returns here"


def statements(code, begin, end):
    """Calls, assignments and jumps, with their semicolon."""
    for found in STATEMENT.finditer(code, begin, end):
        start = found.end()
        word = re.match(r"\*?\w+", code[start:])[0]
        stop = code.find(";", start) + 1
        # A line that goes on from the one before is no statement of its own.
        if word not in WORDS and 0 < stop <= end and re.search(r"[;{}:]\s*$", code[:start]):
            yield start, stop


def closing(code, start):
    """Behind the bracket that closes the one at `start`."""
    depth = 0
    for at in range(start, len(code)):
        depth += {"(": 1, ")": -1}.get(code[at], 0)
        if depth == 0:
            return at + 1
    raise ValueError(f"no end of {code[start : start + 40]!r}")
