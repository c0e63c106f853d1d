"""An application that acts as the body of its request says, one byte for each move.

Its blocks continue one pattern, so that whatever reaches the client must be the pattern's
beginning. It writes lines to wsgi.errors, which the target compares with the host's side: `made`
and `closed` for each iterable with close(), `raised` when it fails, `gave N` when it has given all
of its N bytes.
"""

import io
import os
import sys
import tempfile
import threading

from program import Program, mismatch

PATTERN = bytes(range(251)) * 300
SIZES = [0, 1, 2, 10, 100, 1000, 17000]
STATUSES = ["200 OK", "404 Not Found", "204 No Content", "304 Not Modified", "99 Bad", b"200 OK"]
ERRORS = [ValueError, SystemExit, KeyboardInterrupt, StopIteration, GeneratorExit, MemoryError]
kept = {}


class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError("no text")


class Machine:
    def __init__(self, environ, start_response):
        self.environ, self.start_response = environ, start_response
        self.program = Program(environ["wsgi.input"].read())
        self.errors = environ["wsgi.errors"]
        self.given = 0
        self.write = None

    def say(self, what):
        self.errors.write(f"{what}\n")

    def block(self):
        """The next block of the pattern. Its bytes count as given."""
        size = self.program.choose(*SIZES)
        block = PATTERN[self.given % 251 :][:size]
        self.given += size
        return block

    def start(self):
        status = self.program.choose(*STATUSES[:1] * 8, *STATUSES)
        length = [("Content-Length", str(self.program.choose(0, 1, 3, 12, 110, 1110, -1)))]
        headers = self.program.choose([], [], length, length * 2, [("Transfer-Encoding", "x")], 5)
        info = self.program.choose(*[()] * 3, (self.failure(),), (None,), ((1, 2, 3),), (7,))
        self.write = self.start_response(status, headers, *info)

    def failure(self):
        try:
            raise KeyError("the reason")
        except KeyError:
            return sys.exc_info()

    def write_block(self):
        if self.write is not None:
            before, block = self.given, self.block()
            try:
                self.write(block)
            except Exception:
                # More than Content-Length: a part of it may have been sent.
                self.say("write failed")
                self.given = before
                if self.program.choose(True, False):
                    raise

    def write_wrong(self):
        if self.write is not None:
            self.write(self.program.choose("text", None, bytearray(b"x"), 3))

    def fail(self):
        raise self.program.choose(*ERRORS, Unprintable)("a move")

    def tolerate(self):
        """Makes another move, and ignores its failure."""
        try:
            self.move()
        except Exception:
            pass

    def in_a_thread(self):
        """Makes another move on a new thread, where all objects of the request must work too."""
        raised = []
        thread = threading.Thread(target=self.move_elsewhere, args=(raised,))
        thread.start()
        thread.join()
        if raised:
            raise raised[0]

    def move_elsewhere(self, raised):
        try:
            self.move()
        except BaseException as error:
            raised.append(error)

    def attempt(self, use, said):
        try:
            use()
            said.append("succeeded")
        except Exception:
            said.append("refused")

    def keep(self):
        kept.update(start_response=self.start_response, write=self.write)
        kept["input"] = self.environ["wsgi.input"]

    def use_kept(self):
        """Each object of a request that has ended must refuse."""
        if not kept or kept["start_response"] is self.start_response:
            return
        for use in (
            lambda: kept["write"](b"never"),
            lambda: kept["start_response"]("200 OK", [("X-Kept", "yes")]),
            lambda: kept["input"].read(),
        ):
            said = []
            self.attempt(use, said)
            if said == ["succeeded"]:
                mismatch(self.environ, "an object of an ended request still works")

    MOVES = [start, start, start, write_block, write_block, write_wrong, fail, tolerate]
    MOVES += [in_a_thread, keep, use_kept]

    def move(self):
        self.program.choose(*self.MOVES)(self)

    def iterable(self):
        return self.program.choose(
            lambda: Pieces(self),
            lambda: Pieces(self),
            lambda: Alone(self),
            lambda: self.generator(),
            lambda: self.all_given([self.block() for _ in range(self.program.byte() % 4)]),
            lambda: self.all_given((self.block(), self.block())),
            lambda: [self.block(), "text", self.block()],
            lambda: self.program.choose(b"bare", "text", None, 7, bytearray(b"x"), {}, self.write),
            lambda: self.file(),
        )()

    def all_given(self, blocks):
        self.say(f"gave {self.given}")
        return blocks

    def generator(self):
        self.say("made")
        try:
            while (block := self.next_block()) is not None:
                yield block
        finally:
            self.say("closed")

    def next_block(self):
        """The next block of an iterable; None ends it."""
        while self.program:
            kind = self.program.byte() % 4
            if kind == 3:
                return self.program.choose("text", 0, 5, bytearray(b"x"))
            if kind != 2:
                return self.block()
            self.move()
        self.say(f"gave {self.given}")
        return None

    def file(self):
        """The rest of the pattern, by file_wrapper: from a file, a pipe, or a mere read()."""
        content = PATTERN[self.given % 251 :][:1000]
        wrapper = self.environ["wsgi.file_wrapper"]
        kind = self.program.byte() % 3
        if kind == 0:
            file = tempfile.TemporaryFile()
            file.write(content)
            file.seek(0)
        elif kind == 1:
            reading, writing = os.pipe()
            os.write(writing, content)
            os.close(writing)
            file = open(reading, "rb")
        else:
            file = io.BytesIO(content)
        self.given += len(content)
        return wrapper(file, self.program.choose(1, 7, 8192))


class Pieces:
    """Makes a move for each block that the server requests."""

    def __init__(self, machine):
        self.machine = machine
        machine.say("made")

    def __iter__(self):
        return self.machine.program.choose(self, self, self, self, None)

    def __next__(self):
        try:
            block = self.machine.next_block()
        except StopIteration:
            raise
        except BaseException:
            self.machine.say("raised")
            raise
        if block is None:
            raise StopIteration
        return block

    def close(self):
        self.machine.say("closed")
        if self.machine.program.byte() % 5 == 1:
            raise RuntimeError("close() failed")


class Alone(Pieces):
    """Claims to have the length 1, which may be wrong."""

    def __len__(self):
        return self.machine.program.choose(1, 1, 0, 2)


def app(environ, start_response):
    machine = Machine(environ, start_response)
    try:
        while machine.program.byte() % 3:
            machine.move()
        return machine.iterable()
    except BaseException:
        machine.say("raised")
        raise
