"""Whether the quotations of PEP 3333 are in PEP 3333.

A quotation belongs to the PEP if it stands

* in a comment of src/wsgi, unless the paragraph names an RFC, or in docs/pep3333.md;
* in a comment, a docstring or a document anywhere else, in a paragraph that names the PEP.

A run of fewer than three words is a name and not a quotation. "…" and "..." leave something out,
and words in brackets are an addition. Line breaks, the marks of reST and of Markdown, and the case
of the first letter do not count.
"""

import re

TEXT = "tests/standards/pep-3333.rst"
FOLDERS = ("src", "ngx_module", "include", "docs", "tests", "examples", "benches")
COMMENTS = {
    ".rs": re.compile(r"^\s*//[/!]?(.*)$"),
    ".py": re.compile(r"^\s*#(.*)$"),
    ".c": re.compile(r"^\s*(?://|/\*|\*(?!\w))(.*?)(?:\*/)?\s*$"),
    ".md": re.compile(r"^[\s>|]*(.*)$"),
}
COMMENTS[".h"] = COMMENTS[".c"]
DOCSTRING = re.compile(r'"""(.*?)"""', re.S)
QUOTED = re.compile(r'"([^"]+)"')
CODE = re.compile(r"`[^`]*`")
LEFT_OUT = re.compile(r"…|\.\.\.|\[[^\]]*\]")
NUMBERED = re.compile(r":(\w+):`(\d+)`")
TITLED = re.compile(r":\w+:`([^`<]+?)\s*<[^`>]+>`")
FOOTNOTE = re.compile(r" \[\d+\]_")
OURS, NAMED, OTHERS = "docs/pep3333.md", re.compile(r"\bPEP\b"), re.compile(r"\bRFC\b")
LEAST_WORDS = 3


def plain(text):
    """The words alone: without marks, with single spaces, with one kind of quotation mark."""
    text = NUMBERED.sub(lambda found: f"{found[1].upper()} {found[2]}", text)
    text = FOOTNOTE.sub("", TITLED.sub(r"\1", text))
    text = re.sub(r"[`*\\]", "", text).replace('"', "'")
    return re.sub(r"(?<=\w[-/]) ", "", " ".join(text.split()))


def paragraphs(path):
    """(line, text) for each paragraph of the comments of a source, or of a document."""
    text = path.read_text()
    comment, start, found = COMMENTS[path.suffix], 0, []
    for number, line in enumerate([*text.splitlines(), ""], 1):
        match = comment.match(line)
        words = match[1].strip() if match else ""
        if words and path.suffix == ".md" and line.startswith("|"):
            yield number, words
        elif words:
            start = start if found else number
            found.append(words)
        elif found:
            yield start, "\n".join(found)
            found = []
    for match in DOCSTRING.finditer(text) if path.suffix == ".py" else ():
        yield text.count("\n", 0, match.start()) + 1, match[1]


def quotations(root, path):
    """(line, text) for each quotation of the PEP in a file."""
    name = str(path.relative_to(root))
    for line, text in paragraphs(path):
        at_home = name.startswith("src/wsgi/") and not OTHERS.search(text)
        if not (at_home or name == OURS or NAMED.search(text)):
            continue
        text = CODE.sub(lambda found: found[0].replace('"', ""), text)
        for quoted in QUOTED.findall(text):
            if len(quoted.split()) >= LEAST_WORDS:
                yield line, quoted


def is_in(words, standard):
    first = words[0]
    return any(start + words[1:] in standard for start in {first.lower(), first.upper()})


def faults(root):
    standard = plain((root / TEXT).read_text())
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix not in COMMENTS or not path.is_file():
                continue
            for line, quoted in quotations(root, path):
                runs = [plain(run).strip(" .,;:") for run in LEFT_OUT.split(quoted)]
                if any(run and not is_in(run, standard) for run in runs):
                    text = " ".join(quoted.split())
                    yield f'{path.relative_to(root)}:{line}: PEP 3333 does not say "{text}"'
