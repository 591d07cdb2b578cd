"""Zeek: the package zeekjs-misp, which fills the Intel framework and reports matches as sightings.

awelzel/zeekjs-misp, scripts/misp.js (the calls) and scripts/zeek-misp.js (what is made of the answers).
Types that it cannot use it asks away with a `!`. In the search across events it joins two lists with a
plus, which in JavaScript makes one text of them; as published, that text goes out.
"""

from __future__ import annotations

from .http import JSON, Connection
from .reading import Record, records, text

IGNORED = ["yara", "malware-sample", "ssdeep", "pattern-in-traffic", "btc"]
INTEL = {
    "ip-dst": "Intel::ADDR",
    "ip-src": "Intel::ADDR",
    "domain": "Intel::DOMAIN",
    "hostname": "Intel::DOMAIN",
    "md5": "Intel::FILE_HASH",
    "sha256": "Intel::FILE_HASH",
    "url": "Intel::URL",
    "ip-dst|port": "Intel::ADDR",
}


class ZeekJs:
    def __init__(self, url: str, key: str) -> None:
        self.connection = Connection(url, key, {"Content-Type": JSON, "Accept": JSON})

    def fixed_event(self, event_id: str) -> dict[str, tuple[str, str]]:
        """All that is in one event, as intelligence: indicator, its type and the attribute's uuid."""
        return self.search({"eventid": event_id, "type": [f"!{one}" for one in IGNORED]})

    def across_events(self, tags: list[str], since: int) -> dict[str, tuple[str, str]]:
        unwanted = ",".join(f"!{one}" for one in IGNORED)
        return self.search({"tags": tags, "to_ids": 1, "eventid": [], "type": unwanted, "from": since})

    def search(self, body: Record) -> dict[str, tuple[str, str]]:
        answer = self.connection.post("attributes/restSearch", body)
        found = {}
        for one in records(answer.json()["response"], "Attribute"):
            int(text(one["Event"], "id"))
            kind, value = text(one, "type"), text(one, "value")
            if kind == "url":
                value = value.removeprefix("http://").removeprefix("https://")
            if kind == "ip-dst|port":
                value = value.split("|")[0]
            if kind in INTEL:
                found[value] = (INTEL[kind], text(one, "uuid"))
        return found

    def matched(self, attribute_uuid: str) -> Record:
        """A sighting by a POST that says it is JSON and has no body at all."""
        answer = self.connection.send("POST", f"sightings/add/{attribute_uuid}")
        return answer.json()["Sighting"]

    def seen(self, values: list[str]) -> Record:
        return self.connection.post("sightings/add", {"values": values}).json()
