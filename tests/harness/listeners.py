"""Who listens to what changes: by Server-Sent Events, webhooks or ZeroMQ."""

from __future__ import annotations

import hashlib
import hmac
import json
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import requests
import zmq

PATIENCE = 60


@dataclass(frozen=True)
class Heard:
    """One message, whatever it came by."""

    kind: str
    data: Any
    # Where its stream goes on after it, or what it is known by when it comes twice.
    id: str = ""

    @property
    def uuid(self) -> str:
        """Of the record that the message is about."""
        for model in ("Attribute", "Object", "ObjectReference", "Sighting", "Organisation", "Event"):
            if model in self.data:
                return self.data[model].get("uuid", "")
        return ""

    @property
    def what(self) -> tuple[str, str, str]:
        return self.kind, self.data.get("action", "publish"), self.uuid


class Listener:
    """Keeps what was heard, in order, and waits for what is to be heard."""

    def __init__(self) -> None:
        self.queue: queue.Queue[Heard | None] = queue.Queue()
        self.heard: list[Heard] = []

    def next(self, patience: float = PATIENCE) -> Heard:
        try:
            heard = self.queue.get(timeout=patience)
        except queue.Empty:
            raise AssertionError(f"nothing came after {[h.what for h in self.heard[-5:]]}") from None
        assert heard is not None, "it ended"
        self.heard.append(heard)
        return heard

    def until(self, wanted: Callable[[Heard], bool]) -> Heard:
        """The next message of which this holds; those before it are kept too."""
        end = time.monotonic() + PATIENCE
        while True:
            heard = self.next(max(0.1, end - time.monotonic()))
            if wanted(heard):
                return heard

    def about(self, uuid: str, action: str | None = None) -> Heard:
        return self.until(lambda h: h.uuid == uuid and action in (None, h.data.get("action")))

    def ended(self) -> bool:
        """Waits for the end; whether it came. What comes before it is kept."""
        while True:
            try:
                heard = self.queue.get(timeout=PATIENCE)
            except queue.Empty:
                return False
            if heard is None:
                return True
            self.heard.append(heard)


class EventSource(Listener):
    """A client of Server-Sent Events, as the HTML standard reads them."""

    def __init__(self, url: str, key: str, last: str = "", kinds: str = "") -> None:
        super().__init__()
        self.last = last
        headers = {"Authorization": key, "Accept": "text/event-stream"}
        if last:
            headers["Last-Event-ID"] = last
        self.answer = requests.get(
            f"{url}/streams/changes", headers=headers, params={"kinds": kinds}, stream=True, timeout=PATIENCE
        )
        assert self.answer.status_code == 200, self.answer.text
        assert self.answer.headers["content-type"] == "text/event-stream"
        self.began = threading.Event()
        threading.Thread(target=self._follow, daemon=True).start()
        # From here on nothing is missed.
        assert self.began.wait(PATIENCE)

    def _follow(self) -> None:
        event, data, last = "", [], self.last
        try:
            for line in self.answer.iter_lines(chunk_size=1):
                text = line.decode()
                name, _, value = text.partition(":")
                value = value.removeprefix(" ")
                if name == "id":
                    last = value
                elif name == "event":
                    event = value
                elif name == "data":
                    data.append(value)
                elif not text:
                    self.last = last
                    self.began.set()
                    if data:
                        self.queue.put(Heard(event, json.loads("\n".join(data)), last))
                    event, data = "", []
        except (requests.RequestException, AttributeError):
            pass
        self.queue.put(None)

    def close(self) -> None:
        self.answer.close()


class Receiver(Listener):
    """An HTTP server that webhooks call. It checks signatures, and knows a delivery that comes again."""

    def __init__(self) -> None:
        super().__init__()
        self.secrets: dict[str, str] = {}
        # What the next calls are answered with; 200 when there is none.
        self.answers: list[int] = []
        self.calls = 0
        self.seen: set[str] = set()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver.take(self.path, dict(self.headers.items()), body)
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, path: str, headers: dict[str, str], body: bytes) -> int:
        self.calls += 1
        if self.answers:
            status = self.answers.pop(0)
            if status != 200:
                return status
        headers = {name.lower(): value for name, value in headers.items()}
        parts = dict(part.split("=", 1) for part in headers["x-pisax-signature"].split(","))
        secret = self.secrets.get(path, "")
        expected = hmac.new(secret.encode(), f"{parts['t']}.".encode() + body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, parts["v1"]):
            return 401
        delivery = headers["x-pisax-delivery"]
        if delivery not in self.seen:
            self.seen.add(delivery)
            self.queue.put(Heard(headers["x-pisax-event"], json.loads(body), delivery))
        return 200

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


KINDS = {
    "misp_json": "event.publish",
    "misp_json_event": "event",
    "misp_json_attribute": "attribute",
    "misp_json_object": "object",
    "misp_json_object_reference": "object_reference",
    "misp_json_sighting": "sighting",
    "misp_json_tag": "tag",
    "misp_json_organisation": "organisation",
    "misp_json_user": "user",
    "misp_json_warninglist": "warninglist",
    "misp_json_audit": "audit",
}


class ZmqSubscriber(Listener):
    """libzmq's own subscriber, which comes back by itself when the server does."""

    def __init__(self, port: int, topic: str = "misp_json", name: str = "", password: str = "") -> None:
        super().__init__()
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.SUB)
        if name or password:
            self.socket.plain_username, self.socket.plain_password = name.encode(), password.encode()
        self.socket.setsockopt_string(zmq.SUBSCRIBE, topic)
        self.socket.connect(f"tcp://127.0.0.1:{port}")

    def next(self, patience: float = PATIENCE) -> Heard:
        end = time.monotonic() + patience
        while self.socket.poll(max(1, int((end - time.monotonic()) * 1000))):
            topic, text = self.socket.recv().decode().split(" ", 1)
            if topic != "misp_json_self":
                heard = Heard(KINDS[topic], json.loads(text))
                self.heard.append(heard)
                return heard
        raise AssertionError(f"nothing came after {[h.what for h in self.heard[-5:]]}")

    def hears(self, patience: float) -> bool:
        """Whether anything comes."""
        return bool(self.socket.poll(int(patience * 1000)))

    def close(self) -> None:
        self.context.destroy(linger=0)
