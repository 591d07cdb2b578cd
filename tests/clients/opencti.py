"""OpenCTI: the external import connector for a MISP.

OpenCTI-Platform/connectors, external-import/misp/src/api_client/client.py (the calls, through PyMISP) and
external-import/misp/src/api_client/models.py (what a record has to be like). The models are pydantic's:
a number where they want a text makes the whole event malformed, and it is left out with a warning. Pages
end with an empty list, and events have to come in the order that an undocumented parameter asks for.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pymisp import PyMISP

from .reading import Record, flag, text

MOST_PAGES = 50
SEEN = ("first_seen", "last_seen")
TEXTS = {
    "Event": "id org_id info orgc_id uuid date attribute_count timestamp sharing_group_id publish_timestamp"
    " sighting_timestamp extends_uuid event_creator_email distribution analysis threat_level_id",
    "Attribute": "id event_id object_id object_relation category type value uuid timestamp sharing_group_id"
    " comment data event_uuid distribution first_seen last_seen",
    "Object": "id name meta-category description template_uuid template_version event_id uuid timestamp"
    " sharing_group_id comment distribution first_seen last_seen",
    "ObjectReference": "id uuid timestamp object_id referenced_id referenced_uuid reference_type"
    " relationship_type comment event_id source_uuid",
    "Tag": "id name colour org_id user_id numerical_value",
    "Org": "id name uuid",
    "Galaxy": "id uuid name type description version icon namespace",
    "EventReport": "id uuid event_id name content sharing_group_id timestamp distribution",
}
FLAGS = {
    "Event": "published proposal_email_lock locked disable_correlation",
    "Attribute": "to_ids deleted disable_correlation",
    "Object": "deleted",
    "ObjectReference": "deleted",
    "Tag": "exportable hide_tag is_galaxy is_custom_galaxy inherited",
    "EventReport": "deleted",
}
ALIKE = {"Orgc": "Org", "ShadowAttribute": "Attribute"}
LISTS = {
    "Event": "Attribute ShadowAttribute Object Tag Galaxy EventReport RelatedEvent",
    "Attribute": "Tag Galaxy",
    "Object": "Attribute ObjectReference",
}


class OpenCti:
    def __init__(self, url: str, key: str, page_size: int = 10) -> None:
        self.misp = PyMISP(url=url, key=key, ssl=False, tool="OpenCTI MISP connector")
        self.page_size = page_size
        self.pages = 0

    def search_events(
        self,
        date_filter: str,
        since: datetime,
        ordered_by: str,
        tags: list[str] | None = None,
        not_tags: list[str] | None = None,
        organisations: list[str] | None = None,
        not_organisations: list[str] | None = None,
        keyword: str | None = None,
        with_attachments: bool = False,
    ) -> Iterator[Record]:
        """`date_filter` is one of date_from, timestamp and publish_timestamp."""
        self.pages = 0
        while True:
            self.pages += 1
            assert self.pages <= MOST_PAGES, "the paging does not end"
            query: Any = self.misp.build_complex_query
            found: Any = self.misp.search(
                controller="events",
                return_format="json",
                value=keyword,
                searchall=True if keyword else None,
                tags=query(or_parameters=tags, not_parameters=not_tags) or None,
                org=query(or_parameters=organisations, not_parameters=not_organisations) or None,
                enforce_warninglist=False,
                with_attachments=with_attachments,
                limit=self.page_size,
                page=self.pages,
                order=f"Event.{ordered_by} ASC",
                **{date_filter: since},
            )
            assert not (isinstance(found, dict) and found.get("errors")), found
            if not len(found):
                return
            for one in found:
                check("Event", one["Event"])
                yield one["Event"]


def check(kind: str, record: Record) -> None:
    """Whether the model of this kind would take the record, and those that are in it."""
    kind = ALIKE.get(kind, kind)
    assert isinstance(record, dict), f"{kind} is {record!r}"
    for key in TEXTS.get(kind, "").split():
        # A user that is nobody's is false in a MISP; the connector knows that.
        if record.get(key) is not None and not (key == "user_id" and record[key] is False):
            text(record, key)
    for key in FLAGS.get(kind, "").split():
        if record.get(key) is not None:
            flag(record, key)
    for key in LISTS.get(kind, "").split():
        if record.get(key) is not None:
            assert isinstance(record[key], list), f"{key} of {kind} is {record[key]!r}"
            for one in record[key]:
                check("Event", one["Event"]) if key == "RelatedEvent" else check(key, one)
    for key in ("Org", "Orgc"):
        if record.get(key) is not None:
            check(key, record[key])
    if kind == "ObjectReference" and record.get("Attribute") is not None:
        check("Attribute", record["Attribute"])
