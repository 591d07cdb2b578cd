"""Another MISP that synchronises with this one.

MISP/MISP 2.5, app/Lib/Tools/ServerSyncTool.php. What the other side says about itself in `getVersion`
switches features on: too small a version, or a field that is absent, and a MISP does without. Its lists
of events come with an ETag, whether an event is there is asked with HEAD, large bodies are compressed.
"""

from __future__ import annotations

import gzip
import json
from typing import Any

import requests

from .http import JSON, Connection
from .reading import Record

LARGE = 1024


class OtherMisp:
    def __init__(self, url: str, key: str) -> None:
        headers: dict[str, str | None] = {"Accept": JSON, "Content-Type": JSON, "MISP-version": "2.5.30"}
        self.connection = Connection(url, key, headers)
        self.info: Record = self.connection.get("servers/getVersion").json()

    def supports(self) -> dict[str, bool]:
        """The features that it would use with this server."""
        major, minor, patch = (int(part) for part in self.info["version"].split("."))

        def since(number: int) -> bool:
            return major == 2 and (minor == 5 or (minor == 4 and patch > number))

        return {
            "gzip": "gzip" in self.info.get("request_encoding", []),
            "brotli": "br" in self.info.get("request_encoding", []),
            "filter sightings": bool(self.info.get("filter_sightings")),
            "organisation rules": since(123),
            "proposals": since(110),
            "post test": since(68),
            "protected events": since(155),
            "sighting search": since(164),
            "galaxy clusters": "perm_galaxy_editor" in self.info,
            "sync": bool(self.info.get("perm_sync")),
            "edit clusters": bool(self.info.get("perm_galaxy_editor")),
            "analyst data": bool(self.info.get("perm_analyst_data")),
        }

    def user(self) -> Record:
        return self.connection.get("users/view/me.json").json()

    def post_test(self, words: str) -> Record:
        return self.post("servers/postTest", {"testString": words}).json()

    def event_exists(self, uuid: str) -> bool | None:
        """None for what it takes as a fault of the server."""
        answer = self.connection.send("HEAD", f"events/view/{uuid}")
        assert not answer.content
        return {200: True, 404: False}.get(answer.status_code)

    def event_index(self, rules: Record, etag: str | None = None) -> requests.Response:
        return self.post("events/index", rules, {"If-None-Match": etag} if etag else {})

    def fetch_event(self, event: str) -> Record:
        """One event in full; parameters are in the address, joined with slashes."""
        wanted = (
            "deleted[]:0/deleted[]:1/excludeGalaxy:1/includeEventCorrelations:0/includeFeedCorrelations:0"
        )
        wanted += "/includeWarninglistHits:0/excludeLocalTags:1"
        answer = self.connection.get(f"events/view/{event}/{wanted}")
        assert answer.status_code == 200, answer.text
        return answer.json()["Event"]

    def push_event(self, event: Record) -> requests.Response:
        """Adds or changes it, after a HEAD has said which."""
        there = self.event_exists(event["uuid"])
        path = f"events/edit/{event['uuid']}" if there else "events/add"
        return self.post(f"{path}/metadata:1", {"Event": event})

    def search_attributes(self, rules: Record) -> list[Record]:
        return self.post("attributes/restSearch.json", rules).json()["response"]["Attribute"]

    def search_clusters(self, rules: Record) -> Any:
        return self.post("galaxy_clusters/restSearch", rules).json()["response"]

    def sightings_of(self, uuids: list[str]) -> list[Record]:
        rules = {"returnFormat": "json", "last": 0, "includeUuid": True, "uuid": uuids}
        return self.post("sightings/restSearch/event", rules).json()["response"]

    def post(self, path: str, body: Any, headers: Record | None = None) -> requests.Response:
        content, more = json.dumps(body).encode(), dict(headers or {})
        if len(content) > LARGE and self.supports()["gzip"]:
            content, more["Content-Encoding"] = gzip.compress(content), "gzip"
        return self.connection.send("POST", path, data=content, headers=more)
