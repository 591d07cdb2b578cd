"""Wazuh: the integration `custom-misp.py`, of which many copies are about.

The script of SOCFortress (its "Wazuh and MISP integration"), kept among others in FryggFR/Wazuh-MISP and
overcuriousity/wazuh-misp, and the copies that look the event up afterwards. It asks for one value in the
address, `attributes/restSearch/value:X`, with a content type on a GET that has no content, and reads
`response.Attribute` and its first element without a look at the status.
"""

from __future__ import annotations

from .http import JSON, Connection
from .reading import Record, text


class Wazuh:
    def __init__(self, url: str, key: str) -> None:
        self.connection = Connection(url, key, {"Content-Type": JSON, "Accept": JSON})

    def by_address(self, value: str) -> Record | None:
        """The alert that the script raises; None where it stays silent."""
        return alert(self.connection.get(f"attributes/restSearch/value:{value}").json())

    def by_body(self, value: str) -> Record | None:
        """The copies that post, as values with a slash in them cannot be in the address."""
        body = {"returnFormat": "json", "value": value}
        return alert(self.connection.post("attributes/restSearch", body).json())

    def threat_level(self, event_id: str) -> str:
        event = self.connection.get(f"events/view/{event_id}").json()["Event"]
        text(event, "info")
        return text(event, "threat_level_id")


def alert(answer: Record) -> Record | None:
    # `["response"]["Attribute"]` has to be there, and to be false where nothing was found.
    if not answer["response"]["Attribute"]:
        return None
    first = answer["response"]["Attribute"][0]
    found = {key: text(first, key) for key in ("event_id", "category", "value", "type", "comment")}
    # The script gives it to `json.dumps` and on to Wazuh as a number.
    found["event"] = int(found["event_id"])
    return found
