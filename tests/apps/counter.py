"""Counts its requests. Two applications of one file show what they share.

first, second    answer with how often they have been called, and the module's number
"""

import itertools

calls = itertools.count(1)


def first(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"first %d" % next(calls)]


def second(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"second %d" % next(calls)]
