"""Bytes as a program: each choice of an application takes the next byte, and 0 after the end."""


class Program:
    def __init__(self, code):
        self.code, self.at = code, 0

    def __bool__(self):
        """Whether there are bytes left."""
        return self.at < len(self.code)

    def byte(self):
        self.at += 1
        return self.code[self.at - 1] if self.at <= len(self.code) else 0

    def choose(self, *options):
        return options[self.byte() % len(options)]

    def take(self, size):
        taken = self.code[self.at : self.at + size]
        self.at += size
        return taken


def mismatch(environ, what):
    """Writes a line that is a finding by its first word; see fuzz/src/lib.rs."""
    environ["wsgi.errors"].write(f"DIFFERS-FROM-THE-ORACLE {what}\n"[:150])
