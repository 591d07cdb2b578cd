"""What was asked of a MISP 2.5 when its answers were recorded, told again in order.

A story's steps are recorded requests (by number) and, between them, the requests of the recording session
that were not kept, so that each recorded one finds what it found then. What was asked and what the answers
look like is in tests/e2e/shapes, a file for each recorded request.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .instance import REPOSITORY
from .shape import Shaper, rows

SHAPES = REPOSITORY / "tests/e2e/shapes"
# Where the MISP was that was asked.
RECORDED_AT = "http://127.0.0.1:18080"

EVENT = "11111111-0000-4000-8000-0000000000{:02}"
ATTRIBUTE = "22222222-0000-4000-8000-0000000000{:02}"
GROUP = "55555555-0000-4000-8000-000000000001"


@dataclass
class Recorded:
    """A recorded request. Its path is rewritten where it holds an id of the recording installation."""

    number: int
    path: str = ""
    loose: frozenset[str] = frozenset()
    # Headers that are to be otherwise than recorded: ids of the installation, and faults of MISP.
    mended: dict[str, str] = field(default_factory=dict)


@dataclass
class Unrecorded:
    """A request of the recording session that was not kept."""

    path: str
    body: Any = None
    method: str = "POST"
    auth: str = "admin"


def loosely(*keys: str) -> frozenset[str]:
    return frozenset(keys)


STORY: list[Recorded | Unrecorded] = [
    Recorded(1, loose=loosely("version", "pymisp_recommended_version", "request_encoding")),
    Recorded(2, loose=loosely("version")),
    # The recording's administrator was there before MISP noted when users are made. When a key was used last
    # is noted once a minute.
    Recorded(5, loose=loosely("date_created", "last_api_access")),
    Unrecorded(
        "/admin/organisations/add",
        {
            "name": "Golden Org",
            "uuid": "44444444-0000-4000-8000-000000000001",
            "nationality": "Luxembourg",
            "sector": "CERT",
        },
    ),
    Recorded(8, "/organisations/view/{org}"),
    Recorded(13),
    Recorded(14),
    Recorded(18, "/auth_keys/add/{user}"),
    Recorded(25),
    Unrecorded("/sharingGroups/addOrg", {"sg_id": GROUP, "org_id": "{org}", "extend": True}),
    Recorded(28, "/sharing_groups/view/{group}"),
    Unrecorded("/sharing_groups/edit/{group}", {"releasability": "golden edited"}),
    Recorded(30),
    Recorded(31),
    Recorded(32, mended={"Location": "{url}/events/{event1}"}),
    Recorded(33),
    Unrecorded(
        "/events/add",
        {
            "uuid": EVENT.format(2),
            "info": "Golden event two (flat)",
            "date": "2025-06-01",
            "distribution": "1",
            "timestamp": "1767225600",
            "Attribute": [
                {
                    "uuid": ATTRIBUTE.format(30),
                    "type": "ip-dst",
                    "category": "Network activity",
                    "value": "203.0.113.10",
                    "timestamp": "1767225600",
                },
                {
                    "uuid": ATTRIBUTE.format(31),
                    "type": "url",
                    "category": "Network activity",
                    "value": "http://evil.example.com/x?y=1",
                    "timestamp": "1767225600",
                },
            ],
        },
    ),
    Recorded(35),
    Recorded(36, "/events/view/{event1}"),
    Recorded(42, "/events/view/{event1}"),
    Recorded(45, "/events/edit/{event2}"),
    Recorded(46, "/events/edit/{event2}"),
    Unrecorded(
        "/events/edit/{event2}",
        {
            "info": "Golden event two edited again",
            "timestamp": "1767225800",
            "Attribute": [
                {
                    "uuid": ATTRIBUTE.format(30),
                    "type": "ip-dst",
                    "value": "203.0.113.11",
                    "timestamp": "1767225800",
                },
                {
                    "uuid": ATTRIBUTE.format(32),
                    "type": "domain",
                    "value": "added.example.com",
                    "timestamp": "1767225800",
                },
            ],
        },
    ),
    Unrecorded("/tags/add", {"name": "golden:manual", "colour": "#112233"}),
    Unrecorded("/events/addTag/{event2}/{manual}"),
    Recorded(53, "/events/removeTag/{event2}/{manual}"),
    Unrecorded("/events/addTag/{event2}/{manual}"),
    Unrecorded("/tags/add", {"name": "tlp:amber", "colour": "#ffc000"}),
    Recorded(55),
    Unrecorded("/tags/removeTagFromObject", {"uuid": EVENT.format(2), "tag": "tlp:amber"}),
    Unrecorded("/tags/add", {"name": "golden:local"}),
    Unrecorded("/tags/attachTagToObject", {"uuid": ATTRIBUTE.format(31), "tag": "golden:local", "local": 1}),
    Recorded(65, "/attributes/add/{event2}"),
    Recorded(66, "/attributes/add/{event2}"),
    Recorded(70, "/attributes/add/{event2}"),
    Recorded(72, "/attributes/add/{event2}"),
    Recorded(73),
    Unrecorded("/attributes/edit/{md5}", {"comment": "edited", "to_ids": True}),
    Recorded(77, "/attributes/delete/{md5}"),
    Unrecorded("/attributes/restore/{md5}"),
    Recorded(79),
    Recorded(85, "/objects/add/{event2}"),
    Recorded(86),
    Recorded(88),
    Unrecorded("/objects/delete/33333333-0000-4000-8000-000000000002"),
    Recorded(94, "/sightings/add/{md5}"),
    Recorded(97, "/sightings/listSightings/{md5}/attribute"),
    Recorded(100, "/shadow_attributes/add/{event1}"),
    Unrecorded(f"/shadow_attributes/edit/{ATTRIBUTE.format(2)}", {"value": "evil2.example.com"}, auth="user"),
    Recorded(102, "/shadow_attributes/index/{event1}"),
    Recorded(104, "/shadow_attributes/accept/{proposal}"),
    Unrecorded("/shadow_attributes/discard/{change}"),
    # What this user saw of event 2 at that moment of the recording session was not kept.
    Recorded(107, "/events/view/{event1}", loose=loosely("RelatedEvent")),
    Recorded(109),
    Unrecorded(
        "/events/add",
        {
            "uuid": EVENT.format(4),
            "info": "Golden event four (sharing group, correlates)",
            "date": "2026-01-03",
            "distribution": "4",
            "sharing_group_id": "{group}",
            "threat_level_id": "1",
            "analysis": "2",
            "timestamp": "1767225600",
            "Attribute": [
                {
                    "uuid": ATTRIBUTE.format(80),
                    "type": "ip-dst",
                    "value": "203.0.113.10",
                    "timestamp": "1767225600",
                },
                {
                    "uuid": ATTRIBUTE.format(81),
                    "type": "domain",
                    "value": "obj.example.com",
                    "timestamp": "1767225600",
                    "disable_correlation": True,
                },
            ],
        },
    ),
    Recorded(113, "/events/view/{event4}"),
    Unrecorded("/events/publish/{event1}/disable_background_processing:1"),
    Unrecorded("/events/publish/{event2}/disable_background_processing:1"),
    Unrecorded("/events/unpublish/{event2}"),
    Recorded(119),
    # MISP counts the rows it returned and one; here it is all there are.
    Recorded(136, mended={"X-Result-Count": "17"}),
    Recorded(140),
    Recorded(143),
    # MISP names these columns and leaves them empty, here they are filled.
    Recorded(146, loose=loosely("object_uuid", "object_name", "object_meta_category")),
    # attribute_count: the recording had counted two deletions twice.
    # What the two events shared had been changed by a proposal when this was recorded.
    Recorded(
        157,
        loose=loosely("attribute_count", "RelatedEvent"),
        mended={"Content-Disposition": 'attachment; filename="misp.event.{event2}.json"'},
    ),
    Recorded(165, loose=loosely("attribute_count")),
    Recorded(166),
    Recorded(169),
    Recorded(171),
    Recorded(202, "/event_reports/add/{event2}"),
    Recorded(207),
    Unrecorded("/analyst_data/edit/Note/88888888-0000-4000-8000-000000000001", {"note": "golden note 2"}),
    Unrecorded(
        "/analyst_data/add/Opinion/" + EVENT.format(2) + "/Event",
        {
            "uuid": "88888888-0000-4000-8000-000000000002",
            "opinion": 80,
            "comment": "agree",
            "distribution": 1,
            "authors": "golden",
        },
    ),
    Unrecorded(
        "/analyst_data/add/Relationship/" + EVENT.format(2) + "/Event",
        {
            "uuid": "88888888-0000-4000-8000-000000000003",
            "relationship_type": "related-to",
            "related_object_uuid": EVENT.format(1),
            "related_object_type": "Event",
            "distribution": 1,
            "authors": "golden",
        },
    ),
    # MISP shows tombstones of reports to everybody; here they show where they are asked for. The cluster of
    # the recording, the proposal that was accepted and what correlated with it are not part of this story.
    Recorded(
        213,
        "/events/view/{event2}",
        loose=loosely("EventReport", "Galaxy", "Tag", "attribute_count", "RelatedEvent"),
    ),
    Recorded(215, "/event_graph/view/{event2}"),
    Recorded(220, "/events/freeTextImport/{event3}/disable_background_processing:1"),
    Recorded(190),
    Recorded(194),
    # The words are our own.
    Recorded(196, loose=loosely("description")),
    Recorded(226),
    Recorded(228),
    # The recorded installation had this list, and enabled.
    Unrecorded(
        "/warninglists/add",
        {
            "name": "resolvers",
            "description": "resolvers",
            "type": "cidr",
            "category": "false_positive",
            "entries": "8.8.8.8/32",
            "valid_attributes": ["ip-dst"],
            "enabled": True,
        },
    ),
    Recorded(175, loose=loosely("name")),
]

LATER = {
    199: "worker processes, of which there are none here",
}


def shapes(recordings: Path) -> dict[str, dict[str, Any]]:
    """What was asked and how the answers look, by the names of the recordings."""
    said = {file.stem: json.loads(file.read_text()) for file in sorted(recordings.glob("*.json"))}
    sent = [one["body"] for one in said.values()]
    sent += [step.body for step in STORY if isinstance(step, Unrecorded)]
    shaper = Shaper(RECORDED_AT, sent)
    steps = {step.number: step for step in STORY if isinstance(step, Recorded)}
    return {name: shape(one, steps[one["n"]], shaper) for name, one in said.items() if one["n"] in steps}


def shape(said: dict[str, Any], step: Recorded, shaper: Shaper) -> dict[str, Any]:
    asked = {"auth": said["auth"], "method": said["method"], "path": step.path or said["path"]}
    asked |= {name: shaper.asked(said[name]) for name in ("body", "raw_body") if said[name] is not None}
    answer = rows(said["response"]) if isinstance(said["response"], str) else said["response"]
    return {
        "asked": asked,
        "status": said["status"],
        "headers": said["response_headers"] | step.mended,
        "answer": shaper.shape(answer, step.loose),
    }
