"""A connection that sends the headers a client sends, and no other that would matter."""

from __future__ import annotations

from typing import Any

import requests

TIMEOUT = 60
JSON = "application/json"


class Connection:
    """The key goes into `Authorization` as it is. `None` as a header takes away what `requests` adds."""

    def __init__(self, url: str, key: str | None, headers: dict[str, str | None] | None = None) -> None:
        self.url = url.rstrip("/")
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers.update({} if key is None else {"Authorization": key})
        self.session.headers.update(headers or {})

    def send(self, method: str, path: str, **more: Any) -> requests.Response:
        return self.session.request(
            method, f"{self.url}/{path}", timeout=TIMEOUT, allow_redirects=False, **more
        )

    def get(self, path: str, **more: Any) -> requests.Response:
        return self.send("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> requests.Response:
        return self.send("POST", path, json=body, **more)
