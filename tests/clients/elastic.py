"""Elastic: the ti_misp integration of the Elastic Agent, and the threatintel module of Filebeat before it.

elastic/integrations, packages/ti_misp/data_stream/{threat,threat_attributes}/agent/stream/httpjson.yml.hbs,
and elastic/beats, x-pack/filebeat/module/threatintel/misp/config/config.yml; the fields are those that
packages/ti_misp/data_stream/threat_attributes/elasticsearch/ingest_pipeline/default.yml takes.

The templates of `httpjson` make texts of all values, so `page`, `limit` and `includeDecayScore` arrive in
quotes. The moment of the first call is repeated in the address, where a MISP ignores it. Paging goes on
until the length of the list is zero, and the timestamp of the last record is where the next round begins.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from .http import JSON, Connection
from .reading import Record, flag, number, records, text

# A client that never saw an empty page would ask for ever.
MOST_PAGES = 50


class ElasticAgent:
    """One data stream; it remembers its cursor from one interval to the next."""

    def __init__(self, url: str, key: str, first: int, filters: Record | None = None) -> None:
        self.connection = Connection(url, key, {"Accept": JSON, "User-Agent": "Elastic-Filebeat/8.15.0"})
        self.filters = filters or {}
        self.cursor = str(first)
        self.pages = 0

    def interval(self, path: str, body: Record) -> Iterator[Record]:
        self.pages = 0
        moment = self.cursor
        while True:
            self.pages += 1
            assert self.pages <= MOST_PAGES, "the paging does not end"
            asked = {
                **self.filters,
                **body,
                "page": str(self.pages),
                "timestamp": moment,
                "order": "timestamp",
            }
            answer = self.connection.post(f"{path}?timestamp={moment}", {**asked, "returnFormat": "json"})
            assert answer.status_code == 200, answer.text
            response = answer.json()["response"]
            found = records(response, "Attribute") if path.startswith("attributes") else response
            assert isinstance(found, list)
            if not found:
                return
            yield from found

    def attributes(self, limit: int) -> list[Record]:
        """What the attributes stream indexes in one interval."""
        body = {"limit": str(limit), "includeDecayScore": "true"}
        found = list(self.interval("attributes/restSearch", body))
        for one in found:
            for key in ("id", "event_id", "object_id", "category", "type", "value", "uuid", "comment"):
                text(one, key)
            number(one, "timestamp"), number(one, "distribution")
            flag(one, "to_ids"), flag(one, "deleted"), flag(one, "disable_correlation")
            event = one["Event"]
            for key in ("id", "org_id", "orgc_id", "uuid", "info", "distribution"):
                text(event, key)
        if found:
            self.cursor = text(found[-1], "timestamp")
        return found

    def events(self) -> list[Record]:
        """What the events stream indexes in one interval."""
        found = [one["Event"] for one in self.interval("events/restSearch", {"limit": "10"})]
        for event in found:
            records(event, "Attribute")
            for one in records(event, "Object"):
                records(one, "Attribute")
            number(event, "timestamp"), number(event, "attribute_count"), flag(event, "published")
            text(event["Org"], "id"), text(event["Orgc"], "name"), text(event["Org"], "uuid")
        if found:
            self.cursor = text(found[-1], "timestamp")
        return found


class Filebeat:
    """The older module: it begins with a date as Unix writes it, and counts pages with whole numbers."""

    def __init__(self, url: str, key: str) -> None:
        self.connection = Connection(url, key, {"Accept": JSON, "User-Agent": "Elastic-Filebeat/7.17.0"})

    def first_interval(self, since: int, filters: Record | None = None) -> list[Record]:
        moment = datetime.fromtimestamp(since, UTC).strftime("%a %b %e %H:%M:%S UTC %Y")
        found: list[Record] = []
        for page in range(1, MOST_PAGES):
            body = {**(filters or {}), "page": page, "limit": 10, "returnFormat": "json", "timestamp": moment}
            answer = self.connection.post("events/restSearch", body)
            assert answer.status_code == 200, answer.text
            events = records(answer.json(), "response")
            if not events:
                return found
            found += [one["Event"] for one in events]
        raise AssertionError("the paging does not end")
