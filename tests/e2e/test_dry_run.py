"""A dry run says what a push or pull would do, and does nothing."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from conftest import NewInstance
from harness.api import Api
from harness.instance import Instance
from harness.peers import Link, connect, until


@pytest.fixture(scope="module")
def far(new_instance: NewInstance) -> Instance:
    return named(new_instance(), "FAR")


@pytest.fixture(scope="module")
def near(new_instance: NewInstance) -> Instance:
    return named(new_instance(), "NEAR")


def named(instance: Instance, organisation: str) -> Instance:
    instance.environment["PISAX_ORG"] = f"{organisation} {uuid4()}"
    return instance.start()


def an_event(api: Api, publish: bool = True, **more: Any) -> dict[str, Any]:
    body = {
        "info": f"Event {uuid4()}",
        "distribution": 3,
        "Attribute": [
            {"type": "domain", "value": f"{uuid4()}.example"},
            {"type": "ip-dst", "value": "198.51.100.7", "distribution": 0},
            {"type": "sha256", "value": uuid4().hex * 2, "distribution": 2},
        ],
        "Tag": [{"name": "tlp:green"}, {"name": f"local:{uuid4()}", "local": 1}],
    } | more
    event = api.ok("/events/add", body)["Event"]
    if publish:
        api.ok(f"/events/publish/{event['id']}")
    return event


def dry(link: Link, rest: str = "push", **asked: Any) -> dict[str, Any]:
    return link.here.ok(f"/servers/dryRun/{link.server_id}/{rest}", asked or None)


def of(told: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
    found = [one for one in told["Event"] if one["uuid"] == event["uuid"]]
    assert len(found) == 1, told
    return found[0]


def test_a_push_is_told_as_it_then_goes(near: Instance, far: Instance) -> None:
    # Sightings alone go by themselves, so that nothing of this goes before it is asked for.
    link = connect(near, far, push=False, push_sightings=False)
    near.api().ok(
        f"/servers/guard/{link.server_id}", {"Guard": {"tlp_ceiling": "green", "blocked_types": ["sha256"]}}
    )
    goes = an_event(near.api())
    stays = an_event(near.api(), distribution=1)
    held = an_event(near.api(), Tag=[{"name": "tlp:red"}])
    told = dry(link)
    assert told["unasked"] is None
    one = of(told, goes)
    assert (one["goes"], one["outcome"], one["attributes"], one["left_out"]) == (True, "done", "1", "2")
    assert sorted(r["reason"] for r in one["left_out_because"]) == [
        "its distribution is your organisation only",
        "the guard blocks attributes of type sha256",
    ]
    assert (of(told, stays)["outcome"], of(told, held)["outcome"]) == ("rule", "guard")
    assert "tlp:red" in of(told, held)["reason"]
    # The newest publication comes first; as many as were asked for.
    assert [e["uuid"] for e in dry(link, limit=2)["Event"]] == [held["uuid"], stays["uuid"]]

    sent = dry(link, f"push/{goes['uuid']}")["sent"]["Event"]
    assert [a["type"] for a in sent["Attribute"]] == ["domain"]
    assert [t["name"] for t in sent["Tag"]] == ["tlp:green"], "what is local stays here"
    assert dry(link, f"push/{held['id']}")["sent"] is None
    # None of it left a trace, on either side.
    assert link.ledger() == []
    assert far.api().get(f"/events/view/{goes['uuid']}").status_code == 404

    near.api().ok(f"/servers/edit/{link.server_id}", {"push": True})
    link.push()
    arrived = far.api().view(f"/events/view/{goes['uuid']}")["Event"]
    assert [a["uuid"] for a in arrived["Attribute"]] == [a["uuid"] for a in sent["Attribute"]]
    assert link.entry(held["uuid"], "push")["reason"] == of(told, held)["reason"]
    assert of(dry(link), goes)["outcome"] == "up_to_date"


def test_a_pull_is_told_as_it_then_comes(near: Instance, far: Instance) -> None:
    link = connect(near, far, push=False)
    link.pull()
    old = an_event(far.api())
    gone = an_event(far.api())
    link.pull()
    near.api().ok(f"/events/delete/{gone['uuid']}")
    far.api().ok(
        f"/events/edit/{old['uuid']}", {"info": "Changed", "timestamp": str(int(old["timestamp"]) + 10)}
    )
    far.api().ok(f"/events/publish/{old['uuid']}")
    new = an_event(far.api())
    unpublished = an_event(far.api(), publish=False)
    before = link.ledger()
    told = dry(link, "pull")
    assert (of(told, new)["arrives"], of(told, new)["info"]) == ("new", new["info"])
    assert of(told, old)["arrives"] == "newer"
    assert of(told, gone)["arrives"] == "skipped" and "blocklist" in of(told, gone)["reason"]
    assert unpublished["uuid"] not in [e["uuid"] for e in told["Event"]]
    assert (told["new"], told["newer"]) == ("1", "1")
    parts = [int(told[name]) for name in ("new", "newer", "same", "skipped")]
    assert sum(parts) == int(told["offered"])
    assert link.ledger() == before
    assert near.api().get(f"/events/view/{new['uuid']}").status_code == 404
    assert "2 events pulled" in link.pull()
    assert (dry(link, "pull")["new"], dry(link, "pull")["newer"]) == ("0", "0")


def test_what_cannot_be_told_says_why(near: Instance, far: Instance) -> None:
    link = connect(near, far, push=False)
    event = an_event(near.api())
    path = f"/servers/dryRun/{link.server_id}"
    for rest, field in (("sideways", "direction"), ("push/limit:none", "limit"), ("pull/limit:0", "limit")):
        answer = near.api().get(f"{path}/{rest}")
        assert answer.status_code == 403 and field in answer.json()["errors"], answer.text
    assert near.api().get(f"{path}/push/{uuid4()}").status_code == 404
    assert near.api().get("/servers/dryRun/999999/push").status_code == 404
    near.api().ok(f"/servers/edit/{link.server_id}", {"url": "http://127.0.0.1:1"})
    # What leaves is decided here; only whether it is wanted there is not known.
    told = dry(link)
    assert told["unasked"] and of(told, event)["goes"] is True
    assert near.api().get(f"{path}/pull").status_code == 502


def test_what_went_by_itself_is_up_to_date(near: Instance, far: Instance) -> None:
    link = connect(near, far)
    event = an_event(near.api())
    until(lambda: link.ledger(uuid=event["uuid"], direction="push"), bool)
    assert of(dry(link), event)["outcome"] == "up_to_date"
