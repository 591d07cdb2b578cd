"""kill -9 of either side in the middle of a pull or a push: nothing is lost, nothing is there twice."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

from conftest import NewInstance
from harness.api import Api
from harness.contents import same_events, uuids
from harness.instance import Instance
from harness.peers import DONE, Link, connect, job_end, until

SEED = 20_260_101
EVENTS = 200
MORE = 60
# Few enough that a job that is killed with its server is not given up as one that kills its server.
KILLS = 4


def an_event(number: int) -> dict[str, Any]:
    """An event of everything that travels, tombstones among it, all for everybody: it stays alike."""

    def attribute(**more: Any) -> dict[str, Any]:
        return {
            "uuid": str(uuid4()),
            "type": "domain",
            "value": f"{uuid4()}.example",
            "comment": f"of {number}",
            "distribution": 5,
        } | more

    first, second = str(uuid4()), str(uuid4())
    refers = {"uuid": str(uuid4()), "referenced_uuid": second, "relationship_type": "drops", "comment": "c"}
    inside = {"type": "filename", "object_relation": "filename"}
    file = {"name": "file", "meta-category": "file", "distribution": 5}
    return {
        "uuid": str(uuid4()),
        "info": f"Event {number} {uuid4()}",
        "distribution": 3,
        "published": True,
        "Tag": [{"name": "tlp:green"}, {"name": f"batch:{number % 7}"}],
        "Attribute": [
            attribute(Tag=[{"name": "tlp:clear"}]),
            attribute(type="ip-src|port", value=f"198.51.100.{number % 256}|{number + 1}"),
            attribute(type="sha256", value=f"{number:064x}", first_seen="2026-01-01T00:00:00.000001+00:00"),
            attribute(deleted=True),
        ],
        "Object": [
            file
            | {"uuid": first, "Attribute": [attribute(**inside, value=f"{number}.exe")]}
            | {"ObjectReference": [refers]},
            file | {"uuid": second, "Attribute": [attribute(**inside, value=f"{number}.dll")]},
        ],
        "EventReport": [{"name": "Report", "content": f"What happened {number}", "distribution": 5}],
    }


def add_events(api: Api, count: int = EVENTS) -> set[str]:
    def add(number: int) -> str:
        return api.ok("/events/add", an_event(number))["Event"]["uuid"]

    with ThreadPoolExecutor(4) as pool:
        return set(pool.map(add, range(count)))


def started(new_instance: NewInstance, name: str) -> Instance:
    instance = new_instance()
    instance.environment["PISAX_ORG"] = f"{name} {uuid4()}"
    return instance.start()


def reopened(link: Link, instance: Instance) -> Link:
    return Link(instance.api(), link.server_id)


def kill(instance: Instance, chance: random.Random) -> None:
    """Somewhere in somebody's transaction, and up again where it was."""
    threading.Event().wait(chance.uniform(0, 0.05))
    url = instance.url
    instance.kill()
    instance.cli("db", "check")
    instance.start_at(url)


def sound(*instances: Instance) -> None:
    for instance in instances:
        assert instance.stop() == 0
        instance.cli("db", "check")


def test_a_pull_survives_the_death_of_either_side(new_instance: NewInstance) -> None:
    far, near = started(new_instance, "FAR"), started(new_instance, "NEAR")
    expected = add_events(far.api())
    link = connect(near, far)
    chance = random.Random(SEED)

    # Who pulls dies several times, and the job goes on each time it is back: nobody asks for it again, and
    # the lease of the dead is not waited for.
    job = link.begin("pull")
    for _ in range(KILLS):
        already = len(uuids(near.api()))
        wanted = min(already + chance.randint(1, 25), EVENTS)
        until(lambda: len(uuids(near.api())), lambda count, wanted=wanted: count >= wanted)
        kill(near, chance)
    assert set(uuids(near.api())) <= expected
    status, message = job_end(near.api(), job)
    assert status == DONE, message
    link = reopened(link, near)
    # Then who is pulled from: the job says that the other side is away, and the next one goes on.
    expected |= add_events(far.api(), MORE)
    job = link.begin("pull")
    until(lambda: len(uuids(near.api())), lambda count: count > EVENTS)
    kill(far, chance)
    job_end(near.api(), job)
    link.pull()
    same_events(far.api(), near.api(), expected)
    assert {e["uuid"] for e in link.ledger(direction="pull", limit=1000)} == expected
    assert "0 events pulled, 0 events could not" in link.pull()
    sound(far, near)


def test_a_push_survives_the_death_of_either_side(new_instance: NewInstance) -> None:
    far, near = started(new_instance, "FAR"), started(new_instance, "NEAR")
    link = connect(near, far, pull=False)
    chance = random.Random(SEED)
    # What is published is pushed by itself, while more is added.
    expected = add_events(near.api())
    for turn in range(2 * KILLS):
        already = len(uuids(far.api()))
        wanted = min(already + chance.randint(1, 20), EVENTS)
        if turn % 2:
            # Whoever is away is tried again later; here it is asked for.
            link.begin("push")
        until(lambda: len(uuids(far.api())), lambda count, wanted=wanted: count >= wanted)
        kill(near if turn % 2 else far, chance)
        link = reopened(link, near)
        if not turn % 2:
            link.begin("push")
    link.push("full")
    link.push("full")
    same_events(near.api(), far.api(), expected)
    entries = {e["uuid"]: e["outcome"] for e in link.ledger(direction="push", limit=1000)}
    assert entries.keys() == expected and set(entries.values()) <= {"done", "up_to_date"}
    assert "0 events pushed, 0 events could not" in link.push("full")
    sound(far, near)
