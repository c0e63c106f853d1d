"""Sets a trace and a profile function when it is imported, as coverage and debuggers do.

/work   calls a function, and answers with the calls in this request that the two functions saw
"""

import threading

seen = set()


def trace(frame, event, argument):
    seen.add(("traced", frame.f_code.co_name))


def profile(frame, event, argument):
    seen.add(("profiled", frame.f_code.co_name))


threading.settrace(trace)
threading.setprofile(profile)


def work():
    return sorted(how for how, name in list(seen) if name == "work")


def app(environ, start_response):
    work()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [" ".join(work()).encode()]
