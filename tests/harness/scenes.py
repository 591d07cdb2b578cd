"""What clients find on a server: tags, events and attributes changed at chosen moments."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from .api import Api

# From here on tests choose moments of changes, each its own, so that a search by time meets only them.
NEW_YEAR = 1_767_225_600
DAY = 86_400


def a_tag(api: Api, exportable: bool = True) -> str:
    name = f"client:{uuid4()}"
    api.ok("/tags/add", {"name": name, "colour": "#112233", "exportable": exportable})
    return name


def a_domain() -> str:
    return f"{uuid4()}.example"


def an_event(api: Api, *values: str, tag: str | None = None, **more: Any) -> dict[str, Any]:
    """An event of domains that are to be detected."""
    attributes = [{"type": "domain", "value": value, "to_ids": True} for value in values]
    body = {"info": f"Seen by clients {uuid4()}", "distribution": 1, "Attribute": attributes, **more}
    if tag:
        body["Tag"] = [{"name": tag}]
    return api.ok("/events/add", body)["Event"]


def published(api: Api, *values: str, tag: str | None = None, **more: Any) -> dict[str, Any]:
    event = an_event(api, *values, tag=tag, **more)
    api.ok(f"/events/publish/{event['id']}")
    return event


def changed_at(api: Api, moment: int, *values: str, **more: Any) -> dict[str, Any]:
    """An event whose attributes were changed one second after the other, from this moment on."""
    attributes = [
        {"type": "domain", "value": value, "to_ids": True, "timestamp": str(moment + number)}
        for number, value in enumerate(values)
    ]
    last = str(moment + max(len(values) - 1, 0))
    body = {"info": f"Changed {uuid4()}", "distribution": 1, "timestamp": last, "Attribute": attributes}
    return api.ok("/events/add", body | more)["Event"]
