"""The mutants of src: those that cargo-mutants lists."""

import json
import os
import subprocess

from mutant import Mutant

COMMAND = os.environ.get("CARGO_MUTANTS", "cargo-mutants")


def mutants(tree):
    """All that there are, in the order of the files."""
    listed = subprocess.run(
        [COMMAND, "mutants", "--list", "--json", "--package", "wsgi", "--dir", str(tree)],
        cwd=tree,
        capture_output=True,
        text=True,
        check=True,
    )
    texts = {}
    for item in json.loads(listed.stdout):
        file = item["file"]
        if file not in texts:
            texts[file] = (tree / file).read_text()
        yield of_item(item, texts[file])


def of_item(item, text):
    begin = item["span"]["start"]
    start, end = offset(text, begin), offset(text, item["span"]["end"])
    function = (item["function"] or {}).get("function_name", "none")
    if item["genre"] == "FnValue":
        what = f"fn {function} gives {item['replacement']}"
    else:
        words = " ".join(text[start:end].split())
        what = f"{words} becomes {item['replacement'] or 'nothing'}"
    # What is deleted leaves a blank, so that words stay apart.
    return Mutant(item["file"], begin["line"], function, start, end, item["replacement"] or " ", what)


def offset(text, place):
    """Where a line and a column, both counted from 1, are in the text."""
    lines = text.splitlines(keepends=True)[: place["line"] - 1]
    return sum(map(len, lines)) + place["column"] - 1
