"""TheHive 4: the MISP connector.

TheHive-Project/TheHive 4.1.24, misp/client/src/main/scala/org/thp/misp/client/MispClient.scala, with the
readers of misp/client/src/main/scala/org/thp/misp/dto/*.scala and the import and export of
misp/connector/src/main/scala/org/thp/thehive/connector/misp/services/.

It streams: events as the objects of a bare array, attributes as the elements of `$.response.Attribute`.
A record that does not fit its reader is skipped with a line in the log, so a wrong type loses data.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from .http import JSON, Connection
from .reading import Record, flag, maybe_text, number, records, text

FILE_NAME = re.compile(r'attachment; filename="(.*)"')


@dataclass(frozen=True)
class Tag:
    id: str | None
    name: str
    colour: str | None
    exportable: bool | None


@dataclass(frozen=True)
class Event:
    id: str
    published: bool
    info: str
    threat_level: int | None
    analysis: int | None
    date: datetime
    published_at: int
    org: str
    orgc: str
    attribute_count: int | None
    distribution: int
    tags: list[Tag]


@dataclass(frozen=True)
class Attribute:
    id: str
    kind: str
    category: str
    to_ids: bool
    event_id: str
    distribution: int
    timestamp: int
    comment: str | None
    deleted: bool
    value: str
    tags: list[Tag]


class TheHive:
    def __init__(self, url: str, key: str) -> None:
        self.connection = Connection(url, key, {"Accept": JSON})

    def version(self) -> str:
        return text(self.connection.get("servers/getVersion").json(), "version")

    def organisation_name(self) -> str:
        """The first thing it asks: who the key belongs to, and the name of that organisation."""
        user = self.connection.get("users/view/me").json()["User"]
        text(user, "id"), text(user, "email")
        found = self.connection.get(f"organisations/view/{text(user, 'org_id')}").json()["Organisation"]
        text(found, "id"), maybe_text(found, "description"), UUID(text(found, "uuid"))
        return text(found, "name")

    def search_events(
        self, since: int | None = None, tags: list[str] | None = None, organisations: list[str] | None = None
    ) -> list[Event]:
        """`tags` and `organisations` are the lists of the configuration, what is unwanted with a `!`."""
        query: Record = {}
        if since is not None:
            query["searchtimestamp"] = since + 1
        if tags:
            query["searchtag"] = tags
        if organisations:
            query["searchorg"] = organisations
        answer = self.connection.post("events/index", query)
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert isinstance(found, list), "events are the elements of a bare array"
        return [as_event(one) for one in found]

    def search_attributes(
        self, event_id: str, since: int = 0, deleted_only: bool = False
    ) -> list[tuple[Attribute, tuple[str, str, bytes] | None]]:
        """The attributes of an event, those with a file together with it."""
        request: Record = {"timestamp": since, "eventid": event_id}
        if deleted_only:
            request["deleted"] = "only"
        answer = self.connection.post("attributes/restSearch/json", {"request": request})
        assert answer.status_code == 200, answer.text
        found = []
        for one in records(answer.json()["response"], "Attribute"):
            attribute = as_attribute(one)
            has_file = attribute.kind in ("malware-sample", "attachment") and "data" not in one
            found.append((attribute, self.download(attribute.id) if has_file else None))
        return found

    def download(self, attribute_id: str) -> tuple[str, str, bytes]:
        """Name, content type and bytes; without a name in the quotes it would be called `noname`."""
        answer = self.connection.get(f"attributes/download/{attribute_id}")
        assert answer.status_code == 200, answer.text
        name = FILE_NAME.fullmatch(answer.headers["Content-Disposition"])
        assert name, answer.headers["Content-Disposition"]
        return name.group(1), answer.headers["Content-Type"], answer.content

    def create_event(
        self,
        info: str,
        date: str,
        attributes: list[Record],
        tags: list[Record],
        extends: str | None = None,
        files: dict[str, bytes] | None = None,
    ) -> str:
        """The export of a case: an event with everything but the files, then the files one by one."""
        event = {
            "date": date,
            "threat_level_id": "2",
            "info": info,
            "published": False,
            "analysis": "0",
            "distribution": 0,
            "Attribute": attributes,
            "Tag": tags,
            "extends_uuid": extends,
        }
        event_id = text(self.connection.post("events", {"Event": event}).json()["Event"], "id")
        for name, content in (files or {}).items():
            answer = self.upload(event_id, name, content)
            assert answer.get("name") == "Success", answer
        return event_id

    def upload(self, event_id: str, name: str, content: bytes) -> Any:
        """The body is streamed, so Play calls it bytes; it is JSON all the same."""
        file = {"filename": name, "data": b64encode(content).decode()}
        request = {"category": "Payload delivery", "type": "malware-sample", "comment": name, "files": [file]}
        answer = self.connection.send(
            "POST",
            f"events/upload_sample/{event_id}",
            data=json.dumps({"request": request}),
            headers={"Content-Type": "application/octet-stream"},
        )
        return answer.json()


def as_tag(one: Record) -> Tag:
    exportable = None if one.get("exportable") is None else flag(one, "exportable")
    return Tag(maybe_text(one, "id"), text(one, "name"), maybe_text(one, "colour"), exportable)


def maybe_number(one: Record, key: str) -> int | None:
    return None if one.get(key) is None else number(one, key)


def as_event(one: Record) -> Event:
    return Event(
        id=text(one, "id"),
        published=flag(one, "published"),
        info=text(one, "info"),
        threat_level=maybe_number(one, "threat_level_id"),
        analysis=maybe_number(one, "analysis"),
        date=datetime.fromisoformat(text(one, "date")),
        published_at=number(one, "publish_timestamp"),
        org=text(one["Org"], "name"),
        orgc=text(one["Orgc"], "name"),
        attribute_count=maybe_number(one, "attribute_count"),
        distribution=number(one, "distribution"),
        tags=[as_tag(event_tag["Tag"]) for event_tag in records(one, "EventTag")],
    )


def as_attribute(one: Record) -> Attribute:
    for seen in ("first_seen", "last_seen"):
        if moment := maybe_text(one, seen):
            datetime.fromisoformat(moment)
    return Attribute(
        id=text(one, "id"),
        kind=text(one, "type"),
        category=text(one, "category"),
        to_ids=flag(one, "to_ids"),
        event_id=text(one, "event_id"),
        distribution=number(one, "distribution"),
        timestamp=number(one, "timestamp"),
        comment=maybe_text(one, "comment"),
        deleted=flag(one, "deleted"),
        value=text(one, "value"),
        tags=[as_tag(tag) for tag in records(one, "Tag")] if "Tag" in one else [],
    )
