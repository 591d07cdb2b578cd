"""A plain REST client: what a script without PyMISP would send."""

from __future__ import annotations

from typing import Any

import requests

TIMEOUT = 60


class Api:
    """Requests with one key. `post(path, body)` sends JSON; `raw` sends bytes as they are."""

    def __init__(self, url: str, key: str | None) -> None:
        self.url = url.rstrip("/")
        self.key = key
        self.session = requests.Session()
        self.session.headers.update({"Accept": "application/json", "Content-Type": "application/json"})
        if key is not None:
            self.session.headers["Authorization"] = key

    def get(self, path: str) -> requests.Response:
        return self._send("GET", path)

    def head(self, path: str) -> requests.Response:
        return self._send("HEAD", path)

    def post(self, path: str, body: Any = None) -> requests.Response:
        return self._send("POST", path, json=body if body is not None else {})

    def raw(self, method: str, path: str, body: bytes | None) -> requests.Response:
        return self._send(method, path, data=body)

    def _send(self, method: str, path: str, **more: Any) -> requests.Response:
        return self.session.request(method, self.url + path, timeout=TIMEOUT, allow_redirects=False, **more)

    def ok(self, path: str, body: Any = None) -> Any:
        """Posts, insists on 200 and returns the JSON."""
        answer = self.post(path, body)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:1000]}"
        return answer.json()

    def view(self, path: str) -> Any:
        """Gets, insists on 200 and returns the JSON."""
        answer = self.get(path)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:1000]}"
        return answer.json()
