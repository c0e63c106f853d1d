"""Writes to the log in every way that Python has. The query string is the text.

/print           print()                        /stderr          sys.stderr.write()
/errors          wsgi.errors.write()            /errors_print    print(file=wsgi.errors)
/errors_lines    wsgi.errors.writelines()       /warning         warnings.warn()
/logging         logging.getLogger().error()    /unfinished      a line without its end
/long?N          one line of N letters          /bytes           print() of letters beyond ASCII
/pair            writes, waits for the other request of the pair, and writes again: 50 times
/surrogate       print() of a character that UTF-8 does not have
/buffer          sys.stdout.buffer.write()      /flood?N         N lines
/stdin           the text, and the result of sys.stdin.read()
/thread          a new thread prints, after the end of the request that started it
/kept            wsgi.errors of the request before
/joined?N        a new thread prints N lines, and the request waits for it
/body?WAY        the request body: by print, line by line (each), errors, logging, or an exception that is raised or logged
"""

import logging
import sys
import threading
import warnings
from urllib.parse import unquote

TEXT = [("Content-Type", "text/plain")]
both = threading.Barrier(2, timeout=15)
kept = []


def say_pair(words, environ):
    for number in range(50):
        both.wait()
        # In three pieces, so that a shared buffer would mix the two.
        sys.stdout.write(f"{words} ")
        print("says", end=" ")
        print(number)


def say_in_thread(words, environ):
    def later():
        gate = environ["HTTP_X_GATE"]
        open(gate, "rb").read()
        print(words)

    threading.Thread(target=later, daemon=True).start()


def say_kept(words, environ):
    kept[0].write(f"{words} ")
    kept[0].write("in two pieces\n")


def say_joined(words, environ):
    def print_all():
        for number in range(int(words)):
            print("line", number, "of a thread", "x" * 900)

    thread = threading.Thread(target=print_all)
    thread.start()
    thread.join()


def say_body(way, environ):
    text = environ["wsgi.input"].read().decode("latin-1")
    way = way.split("&")[0]
    if way == "print":
        print(text)
    elif way == "each":
        for line in text.split("\n"):
            print(line)
    elif way == "errors":
        environ["wsgi.errors"].write(text)
    elif way == "logging":
        logging.getLogger("shop").error("cannot read %s", text)
    elif way == "logged":
        try:
            raise ValueError(text)
        except ValueError:
            logging.getLogger("shop").exception("the body could not be parsed")
    else:
        raise ValueError(text)


ENDPOINTS = {
    "print": lambda words, environ: print(words),
    "stderr": lambda words, environ: sys.stderr.write(words + "\n"),
    "errors": lambda words, environ: environ["wsgi.errors"].write(words + "\n"),
    "errors_print": lambda words, environ: print(words, file=environ["wsgi.errors"]),
    "errors_lines": lambda words, environ: environ["wsgi.errors"].writelines(
        [words + " one\n", words + " two\n"]
    ),
    "warning": lambda words, environ: warnings.warn(words),
    "logging": lambda words, environ: logging.getLogger("shop").error(words),
    "unfinished": lambda words, environ: print(words, end=""),
    "long": lambda words, environ: print("<" + "x" * int(words) + ">"),
    "bytes": lambda words, environ: print(words),
    "surrogate": lambda words, environ: print(words + "\udc80"),
    "buffer": lambda words, environ: sys.stdout.buffer.write(words.encode() + b"\n"),
    "flood": lambda words, environ: [print("line", n, "of the flood") for n in range(int(words))],
    "stdin": lambda words, environ: print(words, repr(sys.stdin.read())),
    "pair": say_pair,
    "thread": say_in_thread,
    "kept": say_kept,
    "joined": say_joined,
    "body": say_body,
}


def app(environ, start_response):
    ENDPOINTS[environ["PATH_INFO"].strip("/")](unquote(environ["QUERY_STRING"]), environ)
    kept[:] = [environ["wsgi.errors"]]
    start_response("200 OK", TEXT)
    return [b"said"]
