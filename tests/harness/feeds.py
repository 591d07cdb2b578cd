"""Feeds as others publish them: an HTTP server of our own with a folder of files, and ways to misbehave."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from uuid import uuid4

from .api import Api
from .peers import until

# A list of some hundred thousand lines takes a while in a binary that is not optimised.
PATIENCE = 600
# Rows of an account that say what became of a value.
FATES = ("taken", "known", "duplicate", "excluded", "refused")


class FeedServer:
    """`with FeedServer() as feeds: feeds.files["/list.txt"] = b"…"`; what was asked is in `asked`."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        # Status and headers instead of a file.
        self.answers: dict[str, tuple[int, dict[str, str]]] = {}
        # Paths whose connection is broken off in the middle, and those that never answer.
        self.broken: set[str] = set()
        self.silent: set[str] = set()
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.closing = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
                outer._answer(self)

            def log_message(self, *_: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        path = request.path
        if path in self.silent:
            self.closing.wait()
            return
        if path in self.answers:
            status, headers = self.answers[path]
            request.send_response(status)
            for name, value in headers.items():
                request.send_header(name, value)
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        body = self.files.get(path)
        if body is None:
            request.send_error(404)
            return
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if request.headers.get("If-None-Match") == etag:
            request.send_response(304)
            request.end_headers()
            return
        request.send_response(200)
        request.send_header("ETag", etag)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body[: len(body) // 2] if path in self.broken else body)
        if path in self.broken:
            request.close_connection = True

    def times(self, path: str) -> int:
        return sum(1 for asked, _ in self.asked if asked == path)

    def __enter__(self) -> FeedServer:
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self.http.shutdown()
        self.http.server_close()


def zipped(name: str, body: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, body)
    return out.getvalue()


def gzipped(body: bytes) -> bytes:
    return gzip.compress(body)


def a_feed(api: Api, url: str, **more: Any) -> str:
    """Defines a feed that is enabled; its number."""
    body = {
        "name": f"Feed {uuid4()}",
        "provider": "p",
        "url": url,
        "source_format": "freetext",
        "enabled": True,
        "caching_enabled": True,
        "lookup_visible": True,
    }
    return str(api.ok("/feeds/add", {"Feed": body | more})["Feed"]["id"])


def runs(api: Api, feed: str, kind: str = "fetch") -> list[dict[str, Any]]:
    return [run["Run"] for run in api.view(f"/feeds/runs/{feed}") if run["Run"]["kind"] == kind]


def fetched(api: Api, feed: str, how: str = "") -> dict[str, Any]:
    """Fetches a feed, waits for its end and returns the account; every line is in it."""
    before = len(runs(api, feed))
    said = api.ok(f"/feeds/fetchFromFeed/{feed}{how}")["result"]
    assert said == "Pull queued for background execution."
    return ended(api, feed, "fetch", before)


def cached(api: Api, feed: str) -> dict[str, Any]:
    before = len(runs(api, feed, "cache"))
    assert api.ok(f"/feeds/cacheFeeds/{feed}")["message"] == "Feed caching job initiated."
    return ended(api, feed, "cache", before)


def ended(api: Api, feed: str, kind: str, before: int) -> dict[str, Any]:
    over = until(
        lambda: runs(api, feed, kind),
        lambda found: len(found) > before and found[0]["ended"] is not None,
        PATIENCE,
    )
    run = {name: int(value) if str(value).isdigit() else value for name, value in over[0].items()}
    assert run["lines"] == run["remarks"] + run["unrecognised"] + run["holding"], run
    assert run["values"] == sum(run[fate] for fate in FATES), run
    return run


def reasons(api: Api, run: dict[str, Any]) -> list[tuple[int, str]]:
    told = api.view(f"/feeds/runs/{run['feed_id']}/run:{run['id']}")
    return [(int(one["line"]), one["reason"]) for one in told["not_taken"]]


def an_event_file(value: str, timestamp: int = 1_767_225_600, **more: Any) -> dict[str, Any]:
    """An event as a feed publishes it."""
    return {
        "uuid": str(uuid4()),
        "info": f"From a feed {uuid4()}",
        "date": "2026-01-01",
        "analysis": "2",
        "threat_level_id": "3",
        "timestamp": str(timestamp),
        "publish_timestamp": str(timestamp),
        "published": True,
        "Orgc": {"name": f"Publisher {uuid4()}", "uuid": str(uuid4())},
        "Tag": [{"name": "tlp:clear", "colour": "#ffffff"}],
        "Attribute": [
            {
                "uuid": str(uuid4()),
                "type": "domain",
                "category": "Network activity",
                "value": value,
                "to_ids": True,
                "timestamp": str(timestamp),
            }
        ],
    } | more


def publish(server: FeedServer, folder: str, *events: dict[str, Any]) -> str:
    """Puts a feed of events on the server; its address."""
    manifest = {}
    hashes = []
    for event in events:
        server.files[f"{folder}/{event['uuid']}.json"] = json.dumps({"Event": event}).encode()
        names = ("Orgc", "Tag", "info", "date", "analysis", "threat_level_id", "timestamp")
        manifest[event["uuid"]] = {name: event[name] for name in names}
        hashes += [
            f"{hashlib.md5(a['value'].encode(), usedforsecurity=False).hexdigest()},{event['uuid']}"
            for a in event["Attribute"]
        ]
    server.files[f"{folder}/manifest.json"] = json.dumps(manifest).encode()
    server.files[f"{folder}/hashes.csv"] = "\n".join(hashes).encode()
    return server.url + folder
