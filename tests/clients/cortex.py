"""Cortex: the MISP analyser.

TheHive-Project/Cortex-Analyzers, analyzers/MISP/mispclient.py and analyzers/MISP/misp_analyzer.py (2.1):
one search by value among the types that fit what is analysed, through PyMISP; of each event it keeps what
its report shows. The reports read `result` as a list of events with `info`, `id`, `uuid`, `date`,
`threat_level_id`, `Orgc.name`, `Tag` and `RelatedEvent`.
"""

from __future__ import annotations

from typing import Any

from pymisp import PyMISP

from .reading import Record, records, text

HASHES = ["md5", "sha1", "sha256", "ssdeep", "sha224", "sha384", "sha512", "sha512/224", "sha512/256"]
HASHES += ["tlsh", "authentihash"]
TYPES: dict[str, list[str]] = {
    "hash": HASHES + [f"filename|{one}" for one in HASHES],
    "url": ["domain", "domain|ip", "url", "link", "named pipe", "uri"],
    "ip": ["ip-src", "ip-dst", "domain|ip", "ip-src|port", "ip-dst|port"],
    "registry": ["regkey", "regkey|value"],
}
LEFT_OUT = ("Attribute", "ShadowAttribute", "Org", "SharingGroup", "sharing_group_id", "publish_timestamp")


def analyse(url: str, key: str, data_type: str, data: str) -> list[Record]:
    # An `other` is looked for among all types.
    found: Any = PyMISP(url=url, key=key, ssl=False).search(type_attribute=TYPES.get(data_type), value=data)
    events = []
    for one in found:
        event = {name: value for name, value in one["Event"].items() if name not in LEFT_OUT}
        for name in ("info", "id", "uuid", "date", "threat_level_id"):
            text(event, name)
        text(event["Orgc"], "name")
        event["related"] = [text(r["Event"], "info") for r in records(event, "RelatedEvent")]
        event["tags"] = [text(tag, "name") for tag in event.get("Tag", [])]
        events.append(event)
    return events
