"""Whether the lists of the nginx module's files agree with the folder, and with each other.

* The folder, the sources in `config`, and the table of docs/architecture.md name the same files, in
  the order of `ls`.
* The module's header declares each function that is not static, below the name of its file. Each
  declaration there belongs to a function of that file. Files have the order of `ls`, functions that
  of their definitions.
"""

import re

FOLDER, HEADER = "ngx_module", "ngx_http_wsgi_module.h"
CONFIG, PAGE = "ngx_module/config", "docs/architecture.md"
SOURCE = re.compile(r"\$ngx_addon_dir/(\w+\.c)")
ROW = re.compile(r"^\| `(ngx_http_wsgi_\w+\.c)` \|", re.M)
SECTION = re.compile(
    r"^/\* (ngx_http_wsgi_\w+\.c) \*/\n(.*?)(?=^/\* ngx_\w+\.c \*/$|^extern |\Z)", re.M | re.S
)
PROTOTYPE = re.compile(r"^[a-z][\w ]*[ *](ngx_http_wsgi_\w+)\(", re.M)
DEFINITION = re.compile(r"^(?!static)[a-z][\w ]*\*?\n(ngx_http_wsgi_\w+)\(", re.M)


def differences(what, listed, there):
    for name in sorted(set(listed) | there):
        if listed.count(name) > 1:
            yield f"{what} has {name} more than once"
        elif name not in there:
            yield f"{what} has {name}, which is not a file of {FOLDER}"
        elif name not in listed:
            yield f"{what} does not have {name}"
    yield from disorder(what, listed, sorted(listed))


def disorder(what, listed, ordered):
    for name, expected in zip(listed, ordered):
        if name != expected:
            yield f"{what} has {name} instead of {expected}"
            return


def wrong_prototypes(header, sources):
    declared = {}
    sections = SECTION.findall(header)
    yield from disorder(HEADER, [file for file, _ in sections], sorted(file for file, _ in sections))
    for file, section in sections:
        for name in PROTOTYPE.findall(section):
            if name in declared:
                yield f"{HEADER} declares {name} more than once"
            declared[name] = file
    defined = {name: file for file in sources for name in DEFINITION.findall(sources[file])}
    for name in sorted(declared.keys() | defined.keys()):
        of, at = defined.get(name), declared.get(name)
        if of is None:
            yield f"{HEADER} declares {name}, which {FOLDER} does not define"
        elif at is None:
            yield f"{of} defines {name}: make it static, or declare it in {HEADER} below {of}"
        elif of != at:
            yield f"{HEADER} declares {name} below {at}; {of} defines it"
    for file, section in sections:
        names = PROTOTYPE.findall(section)
        ordered = [name for name in DEFINITION.findall(sources.get(file, "")) if name in names]
        yield from disorder(HEADER, [name for name in names if name in ordered], ordered)


def faults(root):
    sources = {path.name: path.read_text() for path in (root / FOLDER).glob("*.c")}
    there = set(sources)
    yield from differences(CONFIG, SOURCE.findall((root / CONFIG).read_text()), there)
    yield from differences(PAGE, ROW.findall((root / PAGE).read_text()), there)
    yield from wrong_prototypes((root / FOLDER / HEADER).read_text(), sources)
