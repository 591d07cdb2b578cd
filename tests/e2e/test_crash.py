"""kill -9 during an import: nothing acknowledged is lost, nothing is there by halves."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import requests
from conftest import NewInstance
from harness.instance import Instance

SEED = 20_260_101
ROUNDS = 8
CLIENTS = 6
ATTRIBUTES = 150
OBJECTS = 5


class Importers:
    """Clients that add events until the server dies, and remember what it acknowledged."""

    def __init__(self, instance: Instance, shared: str, wanted: int) -> None:
        self.instance = instance
        self.shared = shared
        self.wanted = wanted
        self.acknowledged: list[str] = []
        self.enough = threading.Event()
        self.stopped = threading.Event()
        self._lock = threading.Lock()

    def event(self) -> dict[str, object]:
        """One event: a shared value, values of its own, and objects, all or nothing."""
        loose = [{"type": "text", "value": self.shared}]
        loose += [{"type": "text", "value": str(uuid4())} for _ in range(ATTRIBUTES - 1 - 2 * OBJECTS)]
        pairs = [
            {
                "name": "domain-ip",
                "Attribute": [
                    {"object_relation": "domain", "type": "domain", "value": f"{uuid4()}.example"},
                    {"object_relation": "text", "type": "text", "value": str(uuid4())},
                ],
            }
            for _ in range(OBJECTS)
        ]
        tags = [{"name": "crash:test"}]
        return {"uuid": str(uuid4()), "info": "Import", "Attribute": loose, "Object": pairs, "Tag": tags}

    def run(self) -> None:
        api = self.instance.api()
        while not self.stopped.is_set():
            event = self.event()
            try:
                answer = api.post("/events/add", event)
            except requests.RequestException:
                return
            assert answer.status_code == 200, answer.text
            with self._lock:
                self.acknowledged.append(str(event["uuid"]))
                if len(self.acknowledged) >= self.wanted:
                    self.enough.set()


def test_a_killed_server_keeps_every_acknowledged_event_whole(new_instance: NewInstance) -> None:
    instance = new_instance()
    chance = random.Random(SEED)
    shared = f"in every event {uuid4()}"
    acknowledged: set[str] = set()

    for turn in range(ROUNDS):
        instance.start()
        importers = Importers(instance, shared, wanted=chance.randint(1, 40))
        with ThreadPoolExecutor(CLIENTS) as pool:
            running = [pool.submit(importers.run) for _ in range(CLIENTS)]
            assert importers.enough.wait(120), f"round {turn}: too few events were taken"
            # From here the moment is a matter of microseconds: somewhere in somebody's transaction.
            importers.stopped.wait(chance.uniform(0, 0.05))
            instance.kill()
            importers.stopped.set()
            for importer in running:
                importer.result(60)
        acknowledged.update(importers.acknowledged)
        instance.cli("db", "check")

    instance.start()
    api = instance.api()
    there = {event["uuid"]: event for event in api.view("/events/index")}
    assert acknowledged <= there.keys()
    for uuid, listed in there.items():
        event = api.view(f"/events/view/{uuid}")["Event"]
        held = sum(len(pair["Attribute"]) for pair in event["Object"])
        assert (len(event["Attribute"]), len(event["Object"]), held) == (
            ATTRIBUTES - 2 * OBJECTS,
            OBJECTS,
            2 * OBJECTS,
        )
        assert int(listed["attribute_count"]) == int(event["attribute_count"]) == ATTRIBUTES
        assert [tag["name"] for tag in event["Tag"]] == ["crash:test"]
        # The index of values was written in the same transaction as the values.
        assert len(event["RelatedEvent"]) == len(there) - 1
    found = api.post("/attributes/restSearch", {"returnFormat": "json", "value": shared, "limit": 1})
    assert int(found.headers["X-Result-Count"]) == len(there)
    assert instance.stop() == 0
    instance.cli("db", "check")
