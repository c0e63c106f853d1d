"""The matrix of rows and servers: as Markdown, and as a picture."""

import textwrap
from dataclasses import dataclass, field
from html import escape

import judge


@dataclass
class Column:
    """One server: what it is, or why it is not there, and a verdict for each probe."""

    name: str
    title: str
    missing: str | None = None
    version: str = ""
    verdicts: list = field(default_factory=list)

    def of_row(self, row):
        return [verdict for verdict in self.verdicts if verdict.probe.row == row]

    def count(self, kind):
        there = [self.of_row(row) for row in judge.rows()]
        return sum(judge.worst(found).kind == kind for found in there if found)


SIGNS = {judge.PASS: "✓", judge.WEAK: "○", judge.FAULT: "✗", judge.ABSENT: "–"}
COLOURS = {
    judge.PASS: "#5a9e6f",
    judge.WEAK: "#e3b23c",
    judge.FAULT: "#c8553d",
    judge.ABSENT: "#b8b8b8",
}

BEGINNING = """\
# Conformance, {date}

Each row is a rule of PEP 3333, or of HTTP where it decides what an application sees, asked over raw
sockets; the same bytes go to each server. `make conformance` repeats it; one row of one server with
all bytes: `make conformance ROW=10 PEER=gunicorn`.

* ✓ keeps the rule.
* ✗ breaks a MUST, or loses or invents a part of a response, or does not answer.
* ○ breaks a SHOULD, or hides an error of the application that it should report.
* – does not have an optional feature.

Each server has one worker and four threads, and is otherwise as it comes. What it did wrong stands
below the matrix. A verdict that is a matter of waiting counts if it came twice, the second time from
a server just started.

![The matrix]({image})

"""


def title_of(row):
    return judge.probes_of(row)[0].rule


def markdown(columns, date, image):
    there = [column for column in columns if not column.missing]
    lines = [
        BEGINNING.format(date=date, image=image),
        "| row | rule | " + " | ".join(column.title for column in there) + " |",
        "|---|---|" + ":-:|" * len(there),
    ]
    for row in judge.rows():
        signs = [SIGNS[judge.worst(column.of_row(row)).kind] for column in there]
        lines.append(f"| {row} | {title_of(row)} | {' | '.join(signs)} |")
    for kind, what in ((judge.FAULT, "✗"), (judge.WEAK, "○")):
        counts = [str(column.count(kind)) for column in there]
        lines.append(f"| | rows with {what} | {' | '.join(counts)} |")
    lines += ["", "## Versions", ""]
    lines += [f"* {column.title}: {column.version}" for column in there]
    missing = [column for column in columns if column.missing]
    lines += [f"* {column.title}: left out, {column.missing}" for column in missing]
    lines += ["", "## What they did", "", *phrases(there)]
    return "\n".join(lines) + "\n"


def phrases(columns):
    """For each row where anyone does not pass: who, in which probe, and what it did."""
    for row in judge.rows():
        said = [
            f"* {SIGNS[verdict.kind]} {column.title}{rule_of(verdict, row)}: {cell(verdict.phrase)}"
            for column in columns
            for verdict in column.of_row(row)
            if verdict.kind != judge.PASS or verdict.phrase
        ]
        if said:
            yield from (f"**{row}. {title_of(row)}**", "", *said, "")


def rule_of(verdict, row):
    """The rule, where it is not the row's first."""
    return "" if verdict.probe.rule == title_of(row) else f" ({verdict.probe.rule})"


def cell(text):
    return text.replace("|", "\\|").replace("*", "\\*").replace("<", "&lt;")


# The picture: 20 pixels a row, 92 a server.
LEFT, TOP, HEIGHT, WIDTH = 480, 66, 20, 92


def picture(columns):
    there = [column for column in columns if not column.missing]
    height, width = TOP + HEIGHT * len(judge.rows()) + 44, LEFT + WIDTH * len(there) + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for index, column in enumerate(there):
        x = LEFT + WIDTH * index + WIDTH / 2
        weight = "bold" if column.name == "ours" else "normal"
        for line, words in enumerate(textwrap.wrap(column.title, 13)):
            parts.append(text(x, 26 + 15 * line, words, "middle", weight))
    for number, row in enumerate(judge.rows()):
        y = TOP + HEIGHT * number
        parts.append(text(30, y + 14, row, "end"))
        parts.append(text(40, y + 14, title_of(row)))
        parts += [square(index, y, column, row) for index, column in enumerate(there)]
    parts += legend(height - 16)
    return "\n".join([*parts, "</svg>", ""])


def square(index, y, column, row):
    worst = judge.worst(column.of_row(row))
    told = f"<title>{escape(f'{column.title}: {worst.kind} {worst.phrase}'.strip())}</title>"
    x = LEFT + WIDTH * index
    return (
        f'<g>{told}<rect x="{x + 3}" y="{y + 2}" width="{WIDTH - 6}" height="{HEIGHT - 4}" rx="3"'
        f' fill="{COLOURS[worst.kind]}"/>'
        f"{text(x + WIDTH / 2, y + 14, SIGNS[worst.kind], 'middle', 'bold', '#ffffff')}</g>"
    )


def legend(y):
    meanings = (
        (judge.PASS, "keeps the rule"),
        (judge.FAULT, "breaks a MUST, or a response"),
        (judge.WEAK, "breaks a SHOULD, or hides an error"),
        (judge.ABSENT, "does not have it"),
    )
    x = 40
    for kind, meaning in meanings:
        yield f'<rect x="{x}" y="{y - 11}" width="14" height="14" rx="3" fill="{COLOURS[kind]}"/>'
        yield text(x + 20, y, meaning)
        x += 46 + 7 * len(meaning)


def text(x, y, words, anchor="start", weight="normal", colour="#222222"):
    return (
        f'<text x="{x:g}" y="{y}" text-anchor="{anchor}" font-weight="{weight}" fill="{colour}">'
        f"{escape(words)}</text>"
    )
