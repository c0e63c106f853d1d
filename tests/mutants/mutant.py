"""One change of one source file, and the list of those that make no difference."""

import difflib
from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """`text[start:end]` of a file becomes `replacement`."""

    file: str
    line: int
    function: str
    start: int
    end: int
    replacement: str
    what: str

    def apply(self, text):
        return text[: self.start] + self.replacement + text[self.end :]

    def changed_lines(self, text):
        """The lines that it takes away and those that it puts there, without their indentation."""
        before, after = text.splitlines(), self.apply(text).splitlines()
        taken, put = [], []
        for line in difflib.unified_diff(before, after, lineterm="", n=0):
            if line.startswith("-") and not line.startswith("---"):
                taken.append(line[1:].strip())
            elif line.startswith("+") and not line.startswith("+++"):
                put.append(line[1:].strip())
        return taken, put

    def diff(self, text):
        before, after = text.splitlines(), self.apply(text).splitlines()
        return "\n".join(list(difflib.unified_diff(before, after, lineterm="", n=2))[2:])

    def __str__(self):
        return f"{self.file}:{self.line}: {self.what}"


class Equivalents:
    """equivalent.txt: changes that no test can notice, each with the reason.

    A paragraph for each: the file and the function, its lines before (`- `) and after (`+ `), then the
    argument. Lines rather than their numbers, which others change.
    """

    def __init__(self, text):
        self.reasons = {}
        for paragraph in text.split("\n\n"):
            lines = [line for line in paragraph.splitlines() if not line.startswith("#")]
            if not lines:
                continue
            taken = tuple(line[2:].strip() for line in lines if line.startswith("- "))
            put = tuple(line[2:].strip() for line in lines if line.startswith("+ "))
            why = " ".join(line for line in lines[1:] if line[:2] not in ("- ", "+ "))
            assert why, f"equivalent.txt: no reason for a change of {lines[0]}"
            self.reasons[tuple(lines[0].split(" ", 1)), taken, put] = why

    def reason(self, mutant, text):
        taken, put = mutant.changed_lines(text)
        return self.reasons.get(((mutant.file, mutant.function), tuple(taken), tuple(put)))
