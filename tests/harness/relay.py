"""Stands between two instances, passes everything on, and remembers what was asked and answered."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

import requests

from .api import TIMEOUT
from .instance import Instance

# What belongs to one connection, and what `requests` has undone or does by itself.
OWN = {"host", "connection", "keep-alive", "transfer-encoding", "content-length", "accept-encoding"}
OWN_ANSWER = OWN | {"content-encoding", "date", "server"}


@dataclass(frozen=True)
class Passed:
    method: str
    path: str
    status: int
    # As it came, compressed or not.
    body: bytes
    headers: dict[str, str]


class Relay:
    """`with Relay(instance) as relay`: `relay.url` answers as the instance does."""

    def __init__(self, behind: Instance) -> None:
        self.passed: list[Passed] = []
        relay = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                pass

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {n.lower(): v for n, v in self.headers.items() if n.lower() not in OWN}
                answer = requests.request(
                    self.command,
                    behind.url + self.path,
                    data=body,
                    headers=headers,
                    timeout=TIMEOUT,
                    allow_redirects=False,
                )
                relay.passed.append(Passed(self.command, self.path, answer.status_code, body, headers))
                self.send_response(answer.status_code)
                for name, value in answer.headers.items():
                    if name.lower() not in OWN_ANSWER:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(answer.content)

            do_GET = do_POST = do_HEAD = answer  # noqa: N815

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self) -> Relay:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.shutdown()
        self.server.server_close()

    def asked(self, path: str) -> list[Passed]:
        """What was asked for under this path so far."""
        return [passed for passed in self.passed if passed.path.startswith(path)]
