"""IntelMQ: the collector, the expert and the output for a MISP.

certtools/intelmq after 3.3.1: intelmq/bots/collectors/misp/collector.py, intelmq/bots/experts/misp/expert.py
and intelmq/bots/outputs/misp/output_api.py. All three go through PyMISP; the output lets it make objects
of the answers.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from pymisp import MISPEvent, NewAttributeError, PyMISP

OBJECT = "intelmq_event"


class Collector:
    """Takes the events with one tag, and gives them another so as not to see them again."""

    def __init__(self, url: str, key: str, to_process: str, processed: str | None) -> None:
        self.misp = PyMISP(url, key, False)
        self.to_process, self.processed = to_process, processed

    def process(self) -> list[str]:
        """The raw reports that it sends on."""
        found: Any = self.misp.search(tags=self.to_process)
        if "response" in found:
            found = found["response"]
        reports = [json.dumps(one["Event"], sort_keys=True) for one in found]
        for one in found:
            if self.processed is not None:
                said = self.misp.tag(one["Event"]["uuid"], self.processed)
                assert "errors" not in said, said
            said = self.misp.untag(one["Event"]["uuid"], self.to_process)
            assert "errors" not in said, said
        return reports


def expert(url: str, key: str, address: str) -> dict[str, str]:
    """What it adds to an IntelMQ event about its `source.ip`."""
    found = PyMISP(url, key, False).search("attributes", value=address, page=1, limit=1, pythonify=True)
    if not found:
        return {}
    attribute: Any = found[0]
    return {"misp.attribute_uuid": attribute.uuid, "misp.event_uuid": attribute.Event.uuid}


class Output:
    """One event for each combination of the significant fields; a known one is only made younger."""

    def __init__(self, url: str, key: str, tag: str, significant: list[str]) -> None:
        self.misp = PyMISP(url, key, False)
        self.misp.toggle_global_pythonify()
        self.tag, self.significant = tag, significant

    def process(self, message: dict[str, str]) -> MISPEvent | None:
        """The event that it made, or None where there were some already."""
        wanted = [message[name] for name in self.significant if message.get(name)]
        query = self.misp.build_complex_query(and_parameters=wanted)
        found: Any = self.misp.search(tags=self.tag, value=query, limit=20)
        assert isinstance(found, list), found
        for event in found:
            self.refresh(event, message)
        return None if found else self.insert(message)

    def refresh(self, event: MISPEvent, message: dict[str, str]) -> None:
        held = event.get_objects_by_name(OBJECT)[0]
        for name in ["feed.provider", *self.significant]:
            attributes = held.get_attributes_by_relation(name)
            if (attributes[0].value if attributes else None) != message.get(name):
                return
        event.timestamp = datetime.now()  # PyMISP takes it out of what it sends: the server's clock counts
        said = self.misp.update_event(event)
        assert isinstance(said, MISPEvent), said

    def insert(self, message: dict[str, str]) -> MISPEvent:
        event = MISPEvent()
        event.info = f"from {message['feed.provider']} via IntelMQ"
        event.add_tag(self.tag)
        event.add_tag(f'IntelMQ:feed.provider="{message["feed.provider"]}"')
        event.add_tag(f'IntelMQ:feed.name="{message["feed.name"]}"')
        held = event.add_object(name=OBJECT)
        for relation, value in message.items():
            alike = relation in self.significant
            try:
                held.add_attribute(relation, value=value, disable_correlation=not alike, to_ids=False)
            except NewAttributeError:
                continue  # it is not in the template
        made: Any = self.misp.add_event(event)
        assert isinstance(made, MISPEvent), made
        self.misp.publish(made)
        return made
