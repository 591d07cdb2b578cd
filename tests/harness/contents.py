"""What an instance holds, by uuid: two that hold the same are told so, part by part."""

from __future__ import annotations

from typing import Any

from .api import Api

EVENT = ("uuid", "info", "date", "timestamp", "distribution", "analysis", "threat_level_id", "published")
ATTRIBUTE = (
    "uuid",
    "type",
    "category",
    "value",
    "comment",
    "to_ids",
    "timestamp",
    "distribution",
    "deleted",
    "disable_correlation",
    "object_relation",
    "first_seen",
    "last_seen",
)
OBJECT = (
    "uuid",
    "name",
    "meta-category",
    "description",
    "template_uuid",
    "template_version",
    "timestamp",
    "distribution",
    "comment",
    "deleted",
    "first_seen",
    "last_seen",
)
REFERENCE = ("uuid", "object_uuid", "referenced_uuid", "relationship_type", "comment", "deleted")
REPORT = ("uuid", "name", "content", "distribution", "timestamp", "deleted")


def some(record: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: record.get(name) for name in names}


def tags(record: dict[str, Any]) -> list[str]:
    return sorted(tag["name"] for tag in record.get("Tag", []))


def by_uuid(records: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    found = {record["uuid"]: record for record in records}
    assert len(found) == len(records), "a uuid stands twice"
    return found


def attributes(record: dict[str, Any]) -> dict[str, Any]:
    return by_uuid([some(a, ATTRIBUTE) | {"Tag": tags(a)} for a in record.get("Attribute", [])])


def objects(event: dict[str, Any]) -> dict[str, Any]:
    def whole(one: dict[str, Any]) -> dict[str, Any]:
        references = by_uuid([some(r, REFERENCE) for r in one.get("ObjectReference", [])])
        return some(one, OBJECT) | {"Attribute": attributes(one), "ObjectReference": references}

    return by_uuid([whole(one) for one in event.get("Object", [])])


def whole_event(api: Api, uuid: str) -> dict[str, Any]:
    """An event with its tombstones, without what each instance says in its own way."""
    event = api.view(f"/events/view/{uuid}/deleted[]:0/deleted[]:1")["Event"]
    return some(event, EVENT) | {
        "Orgc": event["Orgc"]["uuid"],
        "Tag": tags(event),
        "Attribute": attributes(event),
        "Object": objects(event),
        "EventReport": by_uuid([some(r, REPORT) for r in event.get("EventReport", [])]),
    }


def uuids(api: Api) -> list[str]:
    return [event["uuid"] for event in api.view("/events/index")]


def same_events(one: Api, other: Api, expected: set[str]) -> None:
    """Both hold these events and no others, each once and alike in every part."""
    for api in (one, other):
        there = uuids(api)
        assert len(there) == len(set(there)) and set(there) == expected
    for uuid in sorted(expected):
        assert whole_event(one, uuid) == whole_event(other, uuid)
