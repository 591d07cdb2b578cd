"""kill -9 during an import: nothing acknowledged is lost, nothing is there by halves."""

from __future__ import annotations

import random
import resource
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import requests
from conftest import NewInstance
from harness.instance import Instance, binary

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


# More rows than one bulk statement takes, so that a kill falls into the middle of several.
LINES = 120_000
LIST_ROUNDS = 4
# A list is held in memory while it is written as one transaction: this much is ours to spend.
LIST_MEMORY = 700 << 20


def test_a_killed_import_of_a_long_list_leaves_all_of_it_or_nothing(new_instance: NewInstance) -> None:
    instance = new_instance()
    instance.start()
    instance.stop()
    lists = instance.folder / "list.txt"
    lists.write_text("# Reference: https://blog.example/x\n" + "".join(lines(LINES)))
    chance = random.Random(SEED)
    words = [binary(), "import", lists, *instance.place]

    outcomes = set()
    for _ in range(LIST_ROUNDS):
        importing = subprocess.Popen(
            words,
            cwd=instance.folder,
            env=instance.env(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            importing.wait(chance.uniform(0.05, 1.5))
        except subprocess.TimeoutExpired:
            importing.kill()
            importing.wait()
        instance.cli("db", "check")
        outcomes.add(stored(instance))
        assert outcomes <= {0, LINES + 1}

    # Whatever happened before, the list can be brought in, and a second time changes nothing.
    for _ in range(2):
        instance.cli("import", lists)
        assert stored(instance) == LINES + 1
    instance.cli("db", "check")


def lines(count: int) -> list[str]:
    """Indicators of several kinds, all different."""
    forms = ("host{0}.example.net\n", "http://evil{0}.example/gate.php\n", "{0:064x}\n")
    return [forms[n % len(forms)].format(n) for n in range(count)]


def stored(instance: Instance) -> int:
    """Attributes the only event has, 0 when there is no event."""
    instance.start()
    events = instance.api().view("/events/index")
    instance.stop()
    assert len(events) <= 1
    return int(events[0]["attribute_count"]) if events else 0


def test_a_long_list_is_imported_in_bounded_memory(new_instance: NewInstance) -> None:
    instance = new_instance()
    lists = instance.folder / "list.txt"
    lists.write_text("".join(lines(LINES)))

    def bound() -> None:
        resource.setrlimit(resource.RLIMIT_DATA, (LIST_MEMORY, LIST_MEMORY))

    done = subprocess.run(
        [binary(), "import", lists, *instance.place],
        cwd=instance.folder,
        env=instance.env(),
        preexec_fn=bound,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert stored(instance) == LINES
