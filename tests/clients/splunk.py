"""Splunk: the app misp42splunk.

remg427/misp42splunk 5.0.0: package/bin/{misp_common,mispgetioc,mispgetevent,mispgetattribute,mispsearch}.py
and package/bin/misp42splunk/modalert_misp_alert_{create_event,sighting}_helper.py.

It sends a `host` header of its own and asks page after page until a list is empty. Any status but 200,
201 and 204 is a failure, and whatever comes is read as JSON. From an event that it shows without its
attributes it takes away `Attribute`, `Object`, `Galaxy` and `RelatedEvent`: a key that is absent ends it.
"""

from __future__ import annotations

from typing import Any

from .http import JSON, Connection
from .reading import Record, records, text

MOST_PAGES = 50
# What a row of the table is made of, and a row's event.
ATTRIBUTE = ("category", "comment", "distribution", "event_id", "id", "object_id", "sharing_group_id")
ATTRIBUTE_EVENT = ("distribution", "id", "info", "org_id", "orgc_id", "publish_timestamp", "uuid")


def condition(wanted: str | None, unwanted: str | None) -> dict[str, list[str]]:
    """`tags=a,b not_tags=c` as one criterion."""
    found = {}
    if wanted:
        found["OR"] = wanted.split(",")
    if unwanted:
        found["NOT"] = unwanted.split(",")
    return found


def one_or_more(given: str) -> Any:
    """`type=a,b`: a list is a criterion, a single one is itself."""
    return {"OR": given.split(",")} if "," in given else given


class Splunk:
    def __init__(self, url: str, key: str) -> None:
        host = url.split("://", 1)[1].rstrip("/")
        self.connection = Connection(url, key, {"Content-type": JSON, "Accept": JSON, "host": host})

    def request(self, method: str, path: str, body: Any) -> Any:
        more = {"json": body} if method == "POST" else {"params": body}
        answer = self.connection.send(method, path, **more)
        assert answer.status_code in (200, 201, 204), f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    # ---- Searches

    def mispgetioc(
        self,
        limit: int = 1000,
        tags: str | None = None,
        not_tags: str | None = None,
        type: str | None = None,
        category: str | None = None,
        to_ids: bool | None = None,
        **which: Any,
    ) -> list[Record]:
        """Rows of attributes; `which` is one of eventid, last, timestamp, publish_timestamp and date."""
        body = {
            **which,
            "returnFormat": "json",
            "withAttachments": False,
            "includeEventUuid": True,
            "deleted": False,
            "enforceWarninglist": True,
            "includeEventTags": True,
            "includeDecayScore": False,
            "excludeDecayed": False,
            "includeSightings": True,
        }
        if tags or not_tags:
            body["tags"] = condition(tags, not_tags)
        if type:
            body["type"] = one_or_more(type)
        if category:
            body["category"] = one_or_more(category)
        if to_ids is not None:
            body["to_ids"] = to_ids
        return self.attributes(body, limit)

    def mispsearch(self, value: str, tags: str | None = None, not_tags: str | None = None) -> list[Record]:
        """Looks a value of a Splunk record up."""
        body: Record = {
            "returnFormat": "json",
            "withAttachments": False,
            "includeEventTags": True,
            "includeEventUuid": True,
            "includeSightings": True,
            "value": value,
        }
        if tags or not_tags:
            body["tags"] = condition(tags, not_tags)
        return self.attributes(body, 1000)

    def attributes(self, body: Record, limit: int) -> list[Record]:
        rows: list[Record] = []
        for page in range(1, MOST_PAGES):
            answer = self.request("POST", "attributes/restSearch", {**body, "limit": limit, "page": page})
            found = records(answer["response"], "Attribute")
            if not found:
                return [as_row(one) for one in rows]
            rows += found
        raise AssertionError("the paging does not end")

    def mispgetevent(self, limit: int = 1000, getioc: bool = False, **more: Any) -> list[Record]:
        body: Record = {
            "returnFormat": "json",
            "withAttachments": False,
            "excludeLocalTags": False,
            "enforceWarninglist": True,
            "includeSightingdb": True,
            **more,
        }
        rows: list[Record] = []
        for page in range(1, MOST_PAGES):
            answer = self.request("POST", "events/restSearch", {**body, "limit": limit, "page": page})
            found = records(answer, "response")
            if not found:
                return rows
            for one in found:
                event = one["Event"]
                if not getioc:
                    event.pop("Attribute")
                    event.pop("Object")
                event.pop("Galaxy")
                event.pop("RelatedEvent")
                rows.append(as_event_row(event))
        raise AssertionError("the paging does not end")

    def mispgetattribute(self, attribute: str) -> Record:
        return self.request("GET", f"attributes/view/{attribute}", {})["Attribute"]

    # ---- Alert actions

    def alert_sighting_by_value(self, values: list[str], moment: int, source: str) -> Any:
        body = {"timestamp": moment, "values": values, "source": source, "type": "0"}
        return self.request("POST", "sightings/add", body)

    def alert_sighting_by_uuid(self, uuid: str, moment: int, source: str, kind: str = "0") -> Any:
        body = {"id": uuid, "source": source, "timestamp": moment, "type": kind}
        return self.request("POST", "sightings/add", body)

    def alert_create_event(self, info: str, date: str, tags: list[str], rows: list[Record]) -> Record:
        """A new event of the columns `misp_TYPE` of some rows, and of `no_RELATION` as one domain-ip."""
        body = {
            "threat_level_id": "2",
            "analysis": "0",
            "distribution": "0",
            "published": False,
            "Tag": [{"name": tag} for tag in tags],
            "date": date,
            "info": info,
            **content(rows),
        }
        return self.request("POST", "events/add", body)["Event"]

    def alert_edit_event(self, event: str, rows: list[Record]) -> Record:
        """More of it for an event that is there."""
        return self.request("POST", f"events/edit/{event}", content(rows))["Event"]


# Relation: type, of the columns that go into a domain-ip object.
DOMAIN_IP = {"domain": "domain", "ip": "ip-dst", "port": "port"}


def content(rows: list[Record]) -> Record:
    attributes, objects = [], []
    for row in rows:
        usual = {
            key.removeprefix("misp_"): row[key] for key in ("misp_category", "misp_comment") if key in row
        }
        if "misp_to_ids" in row:
            # A comma behind the comparison makes a tuple of it: what goes out is a list of one.
            usual["to_ids"] = [row["misp_to_ids"] == "True"]
        related = []
        for column, value in row.items():
            kind = column.removeprefix("misp_").replace("_", "-")
            relation = column.removeprefix("no_")
            if column.startswith("misp_") and kind not in ("category", "comment", "to-ids"):
                attributes.append({**usual, "type": kind, "value": value})
            elif column.startswith("no_"):
                one = {"type": DOMAIN_IP[relation], "object_relation": relation, "value": value}
                related.append({**usual, **one})
        if related:
            objects.append(
                {
                    "template_version": 11,
                    "description": "A domain/hostname and IP address seen as a tuple.",
                    "meta-category": "network",
                    "template_uuid": "43b3b146-77eb-4931-b4cc-b66c60f28734",
                    "name": "domain-ip",
                    "distribution": 5,
                    "Attribute": related,
                }
            )
    return {"Attribute": attributes, "Object": objects}


def tag_names(record: Record) -> list[str]:
    found = record.get("Tag", [])
    return [text(tag, "name").strip() for tag in ([found] if isinstance(found, dict) else found)]


def as_row(one: Record) -> Record:
    """One line of the table that mispgetioc gives, in the app's own names where tests look at them."""
    for key in ATTRIBUTE:
        text(one, key)
    for key in ATTRIBUTE_EVENT:
        text(one["Event"], key)
    for sighting in one.get("Sighting", []):
        text(sighting, "type"), text(sighting["Organisation"], "name"), text(sighting["Organisation"], "uuid")
    return {
        "misp_type": text(one, "type"),
        "misp_value": text(one, "value"),
        "misp_attribute_uuid": text(one, "uuid"),
        "misp_event_id": text(one, "event_id"),
        "misp_event_uuid": text(one["Event"], "uuid"),
        "misp_timestamp": int(one["timestamp"]),
        "misp_object": int(one["object_id"]),
        "misp_tag": tag_names(one),
        "misp_sight_t0_count": sum(s["type"] == "0" for s in one.get("Sighting", [])),
        "misp_sight_t0_last": max((int(s["date_sighting"]) for s in one.get("Sighting", [])), default=0),
    }


def as_event_row(event: Record) -> Record:
    for key in ("analysis", "attribute_count", "date", "distribution", "extends_uuid", "id", "info"):
        text(event, key)
    for key in ("publish_timestamp", "sharing_group_id", "threat_level_id", "timestamp", "uuid"):
        text(event, key)
    for one in event.get("Object", []):
        one.pop("event_id")
        one["attributes"] = one.pop("Attribute")
    dict(event["Org"]), dict(event["Orgc"])
    return event | {"misp_tag": tag_names(event)}
