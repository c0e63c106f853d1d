"""What a probe has in its hands: connections to one server, and what its application tells."""

import json
import time

from client import request_bytes
from wire import Closed, Silent, Wire, connect


class Talk:
    """One probe with one server. `threads`: how many the server has for applications."""

    def __init__(self, address, notes, patience, threads):
        self.address, self.patience, self.threads = address, patience, threads
        self.path = notes
        self.path.touch()
        self.path.chmod(0o666)
        self.wires = []

    def finish(self):
        """Releases the application and the connections."""
        self.open_gate()
        for wire in self.wires:
            wire.close()

    def connect(self):
        self.wires.append(Wire(connect(self.address), self.patience))
        return self.wires[-1]

    def bytes(self, target, method="GET", fields=(), **how):
        """A request to an application, which says where its notes go."""
        target = target if "://" in target else f"/{target}"
        return request_bytes(target, method, [("X-Notes", str(self.path)), *fields], **how)

    def ask(self, target, method="GET", wire=None, **how):
        """One request and its response, on a connection of its own unless one is given."""
        wire = wire or self.connect()
        wire.send(self.bytes(target, method, **how))
        return wire.read_response(method)

    def json(self, target, **how):
        """What an application that answers in JSON says."""
        return self.ask(target, **how).json()

    def notes(self):
        return [json.loads(line) for line in self.path.read_text().splitlines()]

    def wait_for_note(self, *texts, patience=None):
        """Waits until the application notes one of `texts`; None if it does not."""

        def said():
            return next((text for text in self.notes() if not texts or text in texts), None)

        return self.wait_until(said, patience)

    def wait_until(self, condition, patience=None):
        """Asks until `condition` is true, and gives that; None if it is not in time."""
        end = time.monotonic() + (patience or self.patience)
        while not (value := condition()):
            if time.monotonic() > end:
                return None
            time.sleep(0.01)
        return value

    def open_gate(self):
        self.path.with_name(f"{self.path.name}.open").touch()

    def process(self):
        """Which process answers now; None if none does."""
        try:
            response = self.ask("alive")
        except (OSError, Closed, Silent):
            return None
        return response.body.rpartition(b" ")[2] if response.status == 200 else None
