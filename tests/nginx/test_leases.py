"""The objects of a request raise after its end, and the worker goes on."""

import pytest

CONF = "location / { wsgi_app @APPS@/keep.py app; }"
THINGS = {
    "input": "wsgi.input",
    "input_line": "wsgi.input",
    "input_iterate": "wsgi.input",
    "start_response": "start_response",
    "write": "write",
}


@pytest.fixture(scope="module")
def server(module_nginx):
    return module_nginx(CONF)


@pytest.mark.parametrize("name", THINGS)
def test_an_object_of_an_ended_request_raises(server, name):
    assert server.ask("/keep", "POST", body=b"the body").body == b"kept", "the object is kept"
    said = server.ask(f"/use?{name}", "POST", body=b"another body").text
    kind = said.split(":")[0]
    assert kind == "RuntimeError", f"the use must raise: {said}"
    assert THINGS[name] in said, "the error must name the object"
    assert "never to be seen" not in server.log(), "nothing may be written"


def test_the_log_of_an_ended_request_still_works(server):
    assert server.ask("/keep").body == b"kept", "the object is kept"
    for name in ("errors", "errors_flush"):
        said = server.ask(f"/use?{name}").text
        assert said.startswith("returned "), f"a late line must not raise: {said}"
    (line,) = server.wait_log("from an earlier request")
    assert "request:" not in line and "client:" not in line, "the line names no request"


def test_file_wrapper_of_an_ended_request_does_no_harm(server):
    server.ask("/keep")
    assert server.ask("/use?file_wrapper").status == 200, "with any result"
