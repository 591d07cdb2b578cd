"""libzmq's own subscriber to what an installation publishes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import zmq

PATIENCE = 30


class Subscriber:
    """Hears the messages that begin with a topic."""

    def __init__(self, port: int, *topics: str) -> None:
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.SUB)
        for topic in topics:
            self.socket.setsockopt_string(zmq.SUBSCRIBE, topic)
        self.socket.connect(f"tcp://127.0.0.1:{port}")

    def next(self, milliseconds: int) -> tuple[str, Any] | None:
        if not self.socket.poll(milliseconds):
            return None
        topic, text = self.socket.recv().decode().split(" ", 1)
        return topic, json.loads(text)

    def until(self, wanted: Callable[[str, Any], bool]) -> Any:
        """The next message of which this holds."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            heard = self.next(1000)
            if heard and wanted(*heard):
                return heard[1]
        raise AssertionError("it was not published")

    def close(self) -> None:
        self.context.destroy(linger=0)
