"""Three instances exchange what they have by MISP's protocol: hub, IXP node, GRX node."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from conftest import NewInstance
from harness.api import Api
from harness.instance import Instance
from harness.peers import DONE, Link, connect, host_organisation, job_end, until


@pytest.fixture(scope="module")
def hub(new_instance: NewInstance) -> Instance:
    return named(new_instance(), "HUB")


@pytest.fixture(scope="module")
def ixp(new_instance: NewInstance) -> Instance:
    return named(new_instance(), "IXP")


@pytest.fixture(scope="module")
def grx(new_instance: NewInstance) -> Instance:
    return named(new_instance(), "GRX")


def named(instance: Instance, organisation: str) -> Instance:
    instance.environment["PISAX_ORG"] = f"{organisation} {uuid4()}"
    instance.start()
    # As between MISPs: two PISAX would follow each other at once.
    instance.api().ok("/servers/serverSettingsEdit/PISAX.native_sync", {"value": False})
    return instance


@pytest.fixture(scope="module")
def ixp_at_hub(ixp: Instance, hub: Instance) -> Link:
    """The IXP's connection with the hub: it pulls and pushes."""
    return connect(ixp, hub)


@pytest.fixture(scope="module")
def grx_at_hub(grx: Instance, hub: Instance) -> Link:
    return connect(grx, hub)


def an_event(api: Api, distribution: int = 3, publish: bool = True, **more: Any) -> dict[str, Any]:
    body = {
        "info": f"Event {uuid4()}",
        "distribution": distribution,
        "Attribute": [
            {"type": "domain", "value": f"{uuid4()}.example", "comment": "a", "Tag": [{"name": "tlp:green"}]},
            {"type": "ip-dst", "value": "198.51.100.7", "distribution": 0},
            {"type": "ip-src|port", "value": "203.0.113.9|53", "distribution": 1},
            {"type": "sha256", "value": uuid4().hex * 2, "distribution": 2},
        ],
        "Object": [
            {
                "name": "file",
                "meta-category": "file",
                "distribution": 5,
                "Attribute": [
                    {"type": "filename", "object_relation": "filename", "value": "a.exe", "distribution": 5},
                    {"type": "md5", "object_relation": "md5", "value": uuid4().hex, "distribution": 5},
                ],
            }
        ],
        "Tag": [{"name": "tlp:amber"}, {"name": f"local:{uuid4()}", "local": 1}],
        "EventReport": [{"name": "Report", "content": "What happened", "distribution": 5}],
    } | more
    event = api.ok("/events/add", body)["Event"]
    if publish:
        api.ok(f"/events/publish/{event['id']}")
    return event


def there(api: Api, uuid: str) -> dict[str, Any] | None:
    answer = api.get(f"/events/view/{uuid}")
    return answer.json()["Event"] if answer.status_code == 200 else None


def values(event: dict[str, Any]) -> list[str]:
    return sorted(a["value"] for a in event["Attribute"])


def test_a_connection_is_tested_and_previewed(ixp: Instance, hub: Instance, ixp_at_hub: Link) -> None:
    tested = ixp_at_hub.here.ok(f"/servers/testConnection/{ixp_at_hub.server_id}")
    assert (tested["status"], tested["post"], tested["mismatch"], tested["newer"]) == (1, 1, False, False)
    user = ixp_at_hub.here.view(f"/servers/getRemoteUser/{ixp_at_hub.server_id}")
    assert (user["Role name"], user["Sync flag"]) == ("Sync user", "Yes")
    event = an_event(hub.api())
    listed = ixp_at_hub.here.view(f"/servers/previewIndex/{ixp_at_hub.server_id}")
    assert event["uuid"] in [e["uuid"] for e in listed]
    seen = ixp_at_hub.here.view(f"/servers/previewEvent/{ixp_at_hub.server_id}/{event['uuid']}")
    assert seen["Event"]["info"] == event["info"]
    assert there(ixp.api(), event["uuid"]) is None
    rules = ixp_at_hub.here.view(f"/servers/queryAvailableSyncFilteringRules/{ixp_at_hub.server_id}")
    assert "tlp:amber" in rules["tags"]
    assert host_organisation(hub.api())["name"] in rules["organisations"]


def test_a_pull_takes_an_event_one_hop_down(ixp: Instance, hub: Instance, ixp_at_hub: Link) -> None:
    event = an_event(hub.api(), distribution=2)
    own = an_event(hub.api(), distribution=0)
    unpublished = an_event(hub.api(), publish=False)
    said = ixp_at_hub.pull()
    assert said.startswith("Pull completed. ") and said.endswith("analyst data pulled.")
    pulled = there(ixp.api(), event["uuid"])
    assert pulled is not None
    assert pulled["info"] == event["info"]
    assert (pulled["distribution"], pulled["locked"], pulled["published"]) == ("1", True, True)
    assert pulled["Orgc"]["uuid"] == host_organisation(hub.api())["uuid"]
    assert pulled["Org"]["uuid"] == host_organisation(ixp.api())["uuid"]
    # What was the owner's alone did not leave; the rest fell by one.
    levels = {a["type"]: a["distribution"] for a in pulled["Attribute"]}
    assert levels == {"domain": "5", "ip-src|port": "0", "sha256": "1"}
    assert [t["name"] for t in pulled["Tag"]] == ["tlp:amber"]
    assert [t["name"] for a in pulled["Attribute"] for t in a.get("Tag", [])] == ["tlp:green"]
    assert "a.exe" in [a["value"] for o in pulled["Object"] for a in o["Attribute"]]
    assert [r["content"] for r in pulled["EventReport"]] == ["What happened"]
    assert there(ixp.api(), own["uuid"]) is None
    assert there(ixp.api(), unpublished["uuid"]) is None
    assert ixp_at_hub.entry(event["uuid"], "pull")["outcome"] == "done"


def test_an_edit_and_a_deletion_follow(ixp: Instance, hub: Instance, ixp_at_hub: Link) -> None:
    event = an_event(hub.api())
    ixp_at_hub.pull()
    gone, kept = event["Attribute"][0], event["Attribute"][3]
    later = str(int(event["timestamp"]) + 10)
    change = {
        "info": "Changed",
        "timestamp": later,
        "Attribute": [
            {
                "uuid": gone["uuid"],
                "type": gone["type"],
                "value": gone["value"],
                "deleted": True,
                "timestamp": later,
            },
            {
                "uuid": kept["uuid"],
                "type": kept["type"],
                "value": kept["value"],
                "comment": "new",
                "timestamp": later,
            },
        ],
    }
    hub.api().ok(f"/events/edit/{event['uuid']}", change)
    hub.api().ok(f"/events/publish/{event['uuid']}")
    assert "1 events pulled" in ixp_at_hub.pull()
    pulled = there(ixp.api(), event["uuid"])
    assert pulled is not None and pulled["info"] == "Changed"
    assert gone["value"] not in values(pulled)
    assert [a["comment"] for a in pulled["Attribute"] if a["uuid"] == kept["uuid"]] == ["new"]
    # Nothing changed since: nothing is fetched.
    assert "0 events pulled, 0 events could not" in ixp_at_hub.pull()


def test_what_is_published_is_pushed_at_once(ixp: Instance, hub: Instance, ixp_at_hub: Link) -> None:
    event = an_event(ixp.api(), distribution=2)
    pushed = until(lambda: there(hub.api(), event["uuid"]), bool)
    assert (pushed["distribution"], pushed["locked"], pushed["published"]) == ("1", True, True)
    levels = {a["type"]: a["distribution"] for a in pushed["Attribute"]}
    assert levels == {"domain": "5", "sha256": "1"}
    assert [t["name"] for t in pushed["Tag"]] == ["tlp:amber"]
    entry = until(lambda: ixp_at_hub.ledger(uuid=event["uuid"], direction="push"), bool)[0]
    assert entry["outcome"] == "done" and "stayed here" in entry["reason"]


def test_an_event_passes_from_node_to_node(
    ixp: Instance, hub: Instance, grx: Instance, ixp_at_hub: Link, grx_at_hub: Link
) -> None:
    event = an_event(ixp.api(), distribution=3)
    community = an_event(ixp.api(), distribution=1)
    until(lambda: there(hub.api(), event["uuid"]), bool)
    grx_at_hub.pull()
    arrived = there(grx.api(), event["uuid"])
    assert arrived is not None and arrived["distribution"] == "3"
    assert arrived["Orgc"]["uuid"] == host_organisation(ixp.api())["uuid"]
    # A community's own event does not leave it by a push.
    assert there(hub.api(), community["uuid"]) is None
    entry = until(lambda: ixp_at_hub.ledger(uuid=community["uuid"], direction="push"), bool)[0]
    assert entry["outcome"] in ("rule", "up_to_date")


def test_sightings_and_proposals_travel(ixp: Instance, hub: Instance, ixp_at_hub: Link) -> None:
    # By default only who owns an event sees everybody's sightings of it.
    hub.api().ok("/servers/serverSettingsEdit/Plugin.Sightings_policy", {"value": 2})
    event = an_event(hub.api())
    ixp_at_hub.pull()
    attribute = event["Attribute"][0]
    hub.api().ok("/sightings/add", {"id": attribute["uuid"], "source": "router"})
    proposal = {"type": "domain", "value": f"{uuid4()}.example"}
    hub.api().ok(f"/shadow_attributes/add/{event['uuid']}", proposal)
    hub.api().ok(f"/events/publishSightings/{event['uuid']}")
    said = ixp_at_hub.pull()
    assert "1 proposals pulled" in said and "1 sightings pulled" in said, said
    seen = ixp.api().view(f"/sightings/listSightings/{attribute['uuid']}/attribute")
    assert [s["Organisation"]["name"] for s in seen] == [host_organisation(hub.api())["name"]]
    pulled = there(ixp.api(), event["uuid"])
    assert pulled is not None
    assert [p["value"] for p in pulled["ShadowAttribute"]] == [proposal["value"]]
    # And back: what the node sees goes to the hub by itself.
    ixp.api().ok("/sightings/add", {"id": attribute["uuid"], "source": "sensor"})
    ixp.api().ok(f"/events/publishSightings/{event['uuid']}")

    def at_hub() -> list[str]:
        found = hub.api().view(f"/sightings/listSightings/{attribute['uuid']}/attribute")
        return sorted(s["Organisation"]["name"] for s in found)

    both = sorted(host_organisation(i.api())["name"] for i in (hub, ixp))
    until(at_hub, lambda found: found == both)


def test_rules_say_what_is_pulled_and_pushed(new_instance: NewInstance, hub: Instance) -> None:
    tag = f"wanted:{uuid4()}"
    hub.api().ok("/tags/add", {"name": tag})
    node = named(new_instance(), "RULES")
    pull_rules = {"tags": {"OR": [tag], "NOT": []}, "type_attributes": {"NOT": ["sha256"]}}
    link = connect(node, hub, pull_rules=pull_rules, push=False)
    wanted = an_event(hub.api(), Tag=[{"name": tag}])
    other = an_event(hub.api())
    link.pull()
    arrived = there(node.api(), wanted["uuid"])
    assert arrived is not None and "sha256" not in [a["type"] for a in arrived["Attribute"]]
    assert "sha256" in link.entry(wanted["uuid"], "pull")["reason"]
    assert there(node.api(), other["uuid"]) is None


def test_the_guard_holds_back_what_distribution_would_let_go(
    new_instance: NewInstance, hub: Instance
) -> None:
    node = named(new_instance(), "GUARD")
    link = connect(node, hub)
    node.api().ok(
        f"/servers/guard/{link.server_id}", {"Guard": {"tlp_ceiling": "green", "blocked_types": ["sha256"]}}
    )
    amber = an_event(node.api())
    green = an_event(node.api(), Tag=[{"name": "tlp:green"}])
    arrived = until(lambda: there(hub.api(), green["uuid"]), bool)
    assert "sha256" not in [a["type"] for a in arrived["Attribute"]]
    entry = until(lambda: link.ledger(uuid=amber["uuid"], direction="push"), bool)[0]
    assert entry["outcome"] == "guard" and "tlp:amber" in entry["reason"]
    assert there(hub.api(), amber["uuid"]) is None


def test_a_peer_that_is_away_gets_what_it_missed(new_instance: NewInstance) -> None:
    far = named(new_instance(), "FAR")
    near = named(new_instance(), "NEAR")
    link = connect(near, far)
    known = an_event(near.api())
    until(lambda: there(far.api(), known["uuid"]), bool)
    address = far.url
    far.kill()
    missed = an_event(near.api())
    state = until(
        lambda: near.api().ok(f"/servers/ledger/{link.server_id}")["State"],
        lambda state: state["failures_in_a_row"] not in (None, "0"),
    )
    assert state["failure"]
    far.start_at(address)
    # By itself it comes when its time has come; somebody who presses "push" need not wait.
    link.push("full")
    assert there(far.api(), missed["uuid"]) is not None


def test_a_sharing_group_is_known_by_its_uuid(ixp: Instance, hub: Instance, ixp_at_hub: Link) -> None:
    members = [{"Organisation": host_organisation(i.api())} for i in (hub, ixp)]
    group = hub.api().ok(
        "/sharing_groups/add",
        {
            "SharingGroup": {"name": f"Group {uuid4()}", "releasability": "x", "roaming": True},
            "SharingGroupOrg": [
                {"uuid": m["Organisation"]["uuid"], "name": m["Organisation"]["name"]} for m in members
            ],
        },
    )["SharingGroup"]
    for member in members:
        hub.api().post(f"/sharing_groups/addOrg/{group['id']}/{member['Organisation']['uuid']}")
    event = an_event(hub.api(), distribution=4, sharing_group_id=group["id"])
    ixp_at_hub.pull()
    arrived = there(ixp.api(), event["uuid"])
    assert arrived is not None and arrived["distribution"] == "4"
    assert arrived["SharingGroup"]["uuid"] == group["uuid"]
    assert {o["Organisation"]["uuid"] for o in arrived["SharingGroup"]["SharingGroupOrg"]} >= {
        m["Organisation"]["uuid"] for m in members
    }


def test_what_a_peer_holds_is_looked_up_without_taking_it_over(
    new_instance: NewInstance, hub: Instance
) -> None:
    node = named(new_instance(), "CACHE")
    event = an_event(hub.api())
    link = connect(node, hub, push=False, caching_enabled=True)
    assert link.here.ok("/servers/cache/all")["message"] == "Server caching job initiated."
    newest = link.here.view("/jobs/index")[0]["Job"]
    assert newest["job_type"] == "cache_servers"
    status, said = job_end(link.here, newest["id"])
    assert (status, said) == (DONE, "Caching the servers has successfully completed.")
    value = event["Attribute"][0]["value"]
    hits = link.here.ok("/feeds/searchCaches", {"value": value})
    assert [event["uuid"] in str(hit) for hit in hits] == [True], hits
    assert link.here.ok("/feeds/searchCaches", {"value": f"{uuid4()}.example"}) == []
    assert there(node.api(), event["uuid"]) is None
    assert link.here.get("/servers/cache/4000").status_code == 404
