"""A peer that speaks MISP's protocol as it likes: honest until it is told how to misbehave."""

from __future__ import annotations

import base64
import gzip
import itertools
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from uuid import uuid4

from .instance import Instance
from .peers import Link, remote_organisation

# A zipped answer that anybody can send: 64 MiB of spaces by brotli, in a hundred bytes.
BROTLI_SPACES = base64.b64decode(
    "y///PwAkQOKxQHLv//j//weABEAcFoDu/R////8AkACIwwLQvf/j//8fABIAcVgAuvd//P//A0ACIA4LQPf+j///fwBIAMRhAeje"
    "//H//w8ACYA4LADd+7/8//8DIAEQhwWge/8H"
)


@dataclass
class Question:
    """What was asked for, and the connection to answer it on."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    handler: BaseHTTPRequestHandler
    # Set when the peer is taken down: who holds a connection open lets go of it.
    over: threading.Event

    def json(self) -> Any:
        return json.loads(self.body)

    def head(self, status: int = 200, **headers: str | int) -> None:
        self.handler.send_response(status)
        for name, value in headers.items():
            self.handler.send_header(name.replace("_", "-"), str(value))
        self.handler.end_headers()

    def write(self, data: bytes) -> None:
        self.handler.wfile.write(data)


Answer = Callable[[Question], None]


def says(body: bytes | str | Any, status: int = 200, **headers: str | int) -> Answer:
    """A whole answer; what is no text is written as JSON."""
    if not isinstance(body, bytes | str):
        body = json.dumps(body)
    data = body if isinstance(body, bytes) else body.encode()

    def answer(question: Question) -> None:
        question.head(status, **({"Content_Type": "application/json", "Content_Length": len(data)} | headers))
        if question.method != "HEAD":
            question.write(data)

    return answer


def bomb(encoding: str) -> Answer:
    """64 MiB in a few bytes."""
    body = BROTLI_SPACES if encoding == "br" else gzip.compress(b" " * (64 << 20), 9)
    return says(body, Content_Encoding=encoding)


def pieces(parts: Iterable[bytes], pause: float = 0) -> Answer:
    """An answer without a length; one that never ends is for the other side to end."""

    def answer(question: Question) -> None:
        question.head(Content_Type="application/json", Connection="close")
        for part in parts:
            question.write(part)
            if pause and question.over.wait(pause):
                break

    return answer


def endless(first: bytes, part: bytes, pause: float = 0) -> Answer:
    return pieces(itertools.chain([first], itertools.repeat(part)), pause)


def silence(question: Question) -> None:
    """No answer, until the other side has gone."""
    question.handler.connection.settimeout(None)
    question.handler.rfile.read(1)


def endless_head(question: Question) -> None:
    question.write(b"HTTP/1.1 200 OK\r\n")
    for number in itertools.count():
        question.write(b"X-%d: %s\r\n" % (number, b"x" * 1000))


def broken_off(body: bytes) -> Answer:
    """The connection is reset after a part of the body."""

    def answer(question: Question) -> None:
        question.head(Content_Type="application/json", Content_Length=2 * len(body))
        question.write(body)
        connection = question.handler.connection
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        question.handler.close_connection = True
        connection.close()

    return answer


def redirect(url: str) -> Answer:
    return says(b"", 302, Location=url)


@dataclass
class HostilePeer:
    """`with HostilePeer() as peer`: a server with events, and answers that are put over them."""

    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    # The first prefix of METHOD and path that fits is answered by this.
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[Question] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.organisation = {"name": f"Peer {uuid4()}", "uuid": str(uuid4())}
        self.over = threading.Event()
        peer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                # The other side hangs up on most of what is said here.
                try:
                    super().handle_one_request()
                except OSError:
                    self.close_connection = True

            def finish(self) -> None:
                try:
                    super().finish()
                except (OSError, ValueError):
                    self.close_connection = True

            def log_message(self, *_: Any) -> None:
                pass

            def answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                headers = {name.lower(): value for name, value in self.headers.items()}
                question = Question(self.command, self.path, headers, body, self, peer.over)
                peer.asked.append(question)
                peer.answer(question)

            do_GET = do_POST = do_HEAD = answer  # noqa: N815

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self) -> HostilePeer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.over.set()
        self.server.shutdown()
        self.server.server_close()

    def on(self, what: str, answer: Answer) -> None:
        """From now on what begins with this, as in `GET /events/view/`, is answered so."""
        self.answers[what] = answer

    def paths(self, method: str = "") -> list[str]:
        return [question.path for question in self.asked if question.method.startswith(method)]

    # ---- What an honest peer answers ---------------------------------------------------------------------

    def answer(self, question: Question) -> None:
        line = f"{question.method} {question.path}"
        for prefix, answer in self.answers.items():
            if line.startswith(prefix):
                return answer(question)
        return self.honest(line)(question)

    def honest(self, line: str) -> Answer:
        if line.startswith("GET /servers/getVersion"):
            permissions = ("perm_sync", "perm_sighting", "perm_galaxy_editor", "perm_analyst_data")
            return says({"version": "2.5.30", "request_encoding": []} | dict.fromkeys(permissions, True))
        if line.startswith("POST /events/index"):
            return says([self.row(event) for event in self.events.values()])
        if line.startswith("GET /events/view/"):
            event = self.events.get(line.split("/")[3])
            return says({"Event": event}) if event else says({"message": "Invalid event"}, 404)
        if line.startswith(("POST /sightings/restSearch", "POST /galaxy_clusters/restSearch")):
            return says({"response": []})
        if line.startswith(("GET /shadow_attributes/index", "POST /analyst_data/indexMinimal")):
            return says([])
        if line.startswith("POST /events/filterEventIdsForPush"):
            return lambda question: says([e["Event"]["uuid"] for e in question.json()])(question)
        if line.startswith(("POST /events/add", "POST /events/edit")):
            return says({"Event": {}})
        return says({"message": "Not Found"}, 404)

    def row(self, event: dict[str, Any], **more: Any) -> dict[str, Any]:
        """An event in the short list."""
        about = {"published": True, "sighting_timestamp": "0", "orgc_uuid": event["Orgc"]["uuid"]}
        return {"uuid": event["uuid"], "timestamp": event["timestamp"]} | about | more

    def event(self, **more: Any) -> dict[str, Any]:
        """A new event of this peer, offered from now on."""
        event = self.draft(**more)
        self.events[event["uuid"]] = event
        return event

    def draft(self, **more: Any) -> dict[str, Any]:
        return {
            "id": "1",
            "uuid": str(uuid4()),
            "info": f"Event {uuid4()}",
            "date": "2026-01-01",
            "timestamp": str(int(time.time())),
            "published": True,
            "analysis": "0",
            "threat_level_id": "4",
            "distribution": "3",
            "Orgc": self.organisation,
            "Attribute": [attribute()],
        } | more


def attribute(**more: Any) -> dict[str, Any]:
    return {
        "id": "1",
        "uuid": str(uuid4()),
        "type": "domain",
        "category": "Network activity",
        "value": f"{uuid4()}.example",
        "timestamp": str(int(time.time())),
        "distribution": "5",
        "to_ids": True,
    } | more


def connect_to(node: Instance, peer: HostilePeer, **more: Any) -> Link:
    """Connects the node with the peer, from which it pulls events unless told otherwise."""
    api = node.api()
    server = {
        "name": f"Peer {uuid4()}",
        "url": peer.url,
        "authkey": "x" * 40,
        "remote_org_id": remote_organisation(api, peer.organisation),
        "pull": True,
    } | more
    return Link(api, api.ok("/servers/add", {"Server": server})["Server"]["id"])
