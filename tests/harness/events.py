"""Events and attributes of PyMISP's, each with a value that no other test uses."""

from __future__ import annotations

from uuid import uuid4

from pymisp import MISPAttribute, MISPEvent, PyMISP


def an_event(info: str = "An event", distribution: int = 3) -> MISPEvent:
    event = MISPEvent()
    event.info = f"{info} {uuid4()}"
    event.distribution = distribution
    event.threat_level_id = 2
    event.analysis = 1
    return event


def an_attribute(kind: str, value: str) -> MISPAttribute:
    attribute = MISPAttribute()
    attribute.type, attribute.value = kind, value
    return attribute


def related(misp: PyMISP, event: MISPEvent) -> list[str]:
    """The uuids of the events that share something with this one."""
    return [one["Event"].uuid for one in misp.get_event(event).RelatedEvent]


def a_word() -> str:
    """A value that no other test uses."""
    return f"word-{uuid4()}"
