"""Counts its requests; two applications with the same code, so that sharing shows.

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
