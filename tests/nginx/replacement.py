"""Requests that end their worker: the master starts another, which answers."""

import pytest

import client
from server import wait_for


def shown(server, path):
    """The Python object that an application shows."""
    response = server.ask(path)
    assert response.status == 200, server.log()
    return eval(response.body)


def assert_replaced(server, path):
    """The request ends the worker, its client gets no answer, and another worker answers."""
    before = server.workers()
    with server.connect() as connection:
        connection.send_request(path)
        with pytest.raises(client.Closed):
            connection.read_response()
    wait_for(lambda: server.workers() and server.workers() != before, "a new worker")
    assert shown(server, "/ok") == "ok", "the new worker must answer"
    return before[0]
