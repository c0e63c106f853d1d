"""What belongs to a request is of no use after it; and nothing breaks."""

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
def test_after_the_request(server, name):
    assert server.ask("/keep", "POST", body=b"the body").body == b"kept", "it is kept"
    said = server.ask(f"/use?{name}", "POST", body=b"another body").text
    kind = said.split(":")[0]
    assert kind == "RuntimeError", f"using it raises, and {said}"
    assert THINGS[name] in said, "and the error names the object"
    assert "never to be seen" not in server.log(), "nothing was written"


def test_the_log_after_the_request(server):
    assert server.ask("/keep").body == b"kept", "it is kept"
    for name in ("errors", "errors_flush"):
        said = server.ask(f"/use?{name}").text
        assert said.startswith("returned "), f"a log that is late is no mistake: {said}"
    (line,) = server.wait_log("from an earlier request")
    assert "request:" not in line and "client:" not in line, "its line comes without a request"


def test_file_wrapper_after_the_request(server):
    server.ask("/keep")
    assert server.ask("/use?file_wrapper").status == 200, "whatever it says, nothing breaks"
