"""What is pushed beside events: galaxy clusters and analyst data; how bodies and lists travel."""

from __future__ import annotations

import gzip
import json
from typing import Any
from uuid import uuid4

import pytest
from conftest import NewInstance
from harness.api import Api
from harness.hostile import HostilePeer, Question, connect_to, says
from harness.instance import Instance
from harness.peers import Link, connect, host_organisation, until
from harness.relay import Relay

LONG_AGO = "2026-01-01 00:00:00"
GALAXY = {
    "uuid": "5f9a2b1c-0000-4000-8000-0000000000ab",
    "name": "Actors of the tests",
    "type": "e2e-actor",
    "description": "Who does it",
    "version": "1",
    "icon": "user",
    "namespace": "e2e",
}


def named(instance: Instance, organisation: str) -> Instance:
    instance.environment["PISAX_ORG"] = f"{organisation} {uuid4()}"
    instance.start()
    instance.api().ok("/servers/serverSettingsEdit/PISAX.native_sync", {"value": False})
    return instance


@pytest.fixture(scope="module")
def near(new_instance: NewInstance) -> Instance:
    return named(new_instance(), "NEAR")


@pytest.fixture(scope="module")
def far(new_instance: NewInstance) -> Instance:
    return named(new_instance(), "FAR")


@pytest.fixture(scope="module")
def link(near: Instance, far: Instance) -> Link:
    """NEAR pushes to FAR."""
    return connect(near, far, pull=False)


@pytest.fixture(scope="module")
def galaxy(near: Instance) -> dict[str, Any]:
    sent = {
        "uuid": str(uuid4()),
        "value": "The first",
        "version": 1,
        "type": GALAXY["type"],
        "Galaxy": GALAXY,
    }
    near.api().ok("/galaxies/import", [{"GalaxyCluster": sent}])
    (found,) = [
        g["Galaxy"] for g in near.api().view("/galaxies/index") if g["Galaxy"]["type"] == GALAXY["type"]
    ]
    return found


def a_cluster(api: Api, galaxy: dict[str, Any], publish: bool = True, **more: Any) -> dict[str, Any]:
    body = {"value": f"Cluster {uuid4()}", "distribution": 3} | more
    cluster = api.ok(f"/galaxy_clusters/add/{galaxy['id']}", body)["GalaxyCluster"]
    if publish:
        api.ok(f"/galaxy_clusters/publish/{cluster['id']}")
    return cluster


def an_event(api: Api, **more: Any) -> dict[str, Any]:
    body = {
        "info": f"Event {uuid4()}",
        "distribution": 3,
        "Attribute": [
            {"type": "domain", "value": f"{uuid4()}.example", "distribution": 5},
            {"type": "ip-dst", "value": "198.51.100.7", "distribution": 0},
        ],
    } | more
    event = api.ok("/events/add", body)["Event"]
    api.ok(f"/events/publish/{event['id']}")
    return event


def seen(api: Api, path: str) -> dict[str, Any] | None:
    answer = api.get(path)
    return next(iter(answer.json().values())) if answer.status_code == 200 else None


def cluster_at(api: Api, uuid: str) -> dict[str, Any] | None:
    return seen(api, f"/galaxy_clusters/view/{uuid}")


# ---- Galaxy clusters -----------------------------------------------------------------------------------


def test_a_cluster_goes_when_it_is_published_and_again_when_it_is_newer(
    near: Instance, far: Instance, link: Link, galaxy: dict[str, Any]
) -> None:
    api = near.api()
    target = a_cluster(api, galaxy)
    source = a_cluster(
        api,
        galaxy,
        publish=False,
        distribution=2,
        authors=["one", "two"],
        elements=[{"key": "synonyms", "value": "Other name"}],
    )
    for kind, level in (("similar", 3), ("uses", 0)):
        api.ok(
            "/galaxy_cluster_relations/add",
            {
                "galaxy_cluster_uuid": source["uuid"],
                "referenced_galaxy_cluster_uuid": target["uuid"],
                "referenced_galaxy_cluster_type": kind,
                "distribution": level,
                "tags": "tlp:green",
            },
        )
    until(lambda: cluster_at(far.api(), target["uuid"]), bool)
    assert cluster_at(far.api(), source["uuid"]) is None, "it is not published"
    api.ok(f"/galaxy_clusters/publish/{source['id']}")
    came = until(lambda: cluster_at(far.api(), source["uuid"]), bool)
    assert (came["value"], came["distribution"]) == (source["value"], "1"), (
        "connected communities fall by one"
    )
    assert (came["locked"], came["published"], came["authors"]) == (True, True, ["one", "two"])
    assert came["Orgc"]["uuid"] == host_organisation(api)["uuid"]
    assert came["Galaxy"]["uuid"] == GALAXY["uuid"]
    assert [(e["key"], e["value"]) for e in came["GalaxyElement"]] == [("synonyms", "Other name")]
    (relation,) = came["GalaxyClusterRelation"]
    assert (relation["referenced_galaxy_cluster_uuid"], relation["referenced_galaxy_cluster_type"]) == (
        target["uuid"],
        "similar",
    )
    assert [tag["name"] for tag in relation["Tag"]] == ["tlp:green"]
    entry = until(lambda: link.ledger(uuid=source["uuid"], direction="push"), bool)[0]
    assert (entry["outcome"], entry["title"]) == ("done", source["value"])

    version = str(int(entry["version"]) + 10)
    api.ok(f"/galaxy_clusters/edit/{source['id']}", {"value": "Changed", "version": version})
    api.ok(f"/galaxy_clusters/publish/{source['id']}")
    until(lambda: cluster_at(far.api(), source["uuid"]), lambda cluster: cluster["value"] == "Changed")


def test_a_cluster_of_its_organisation_stays(
    near: Instance, far: Instance, link: Link, galaxy: dict[str, Any]
) -> None:
    for level in (0, 1):
        cluster = a_cluster(near.api(), galaxy, distribution=level)
        entry = until(lambda uuid=cluster["uuid"]: link.ledger(uuid=uuid, direction="push"), bool)[0]
        assert entry["outcome"] == "rule" and "distribution" in entry["reason"]
        assert cluster_at(far.api(), cluster["uuid"]) is None


def taking_clusters(peer: HostilePeer) -> HostilePeer:
    taken = "Galaxy clusters imported. 1 imported, 0 ignored, 0 failed. "
    peer.on("POST /galaxies/pushCluster", says({"saved": True, "success": True, "name": taken}))
    return peer


def test_each_version_of_a_cluster_is_sent_once_and_before_events(new_instance: NewInstance) -> None:
    node = named(new_instance(), "ONCE")
    api = node.api()
    with HostilePeer() as bare:
        peer = taking_clusters(bare)
        sent = {"uuid": str(uuid4()), "value": "x", "version": 1, "type": GALAXY["type"], "Galaxy": GALAXY}
        api.ok("/galaxies/import", [{"GalaxyCluster": sent}])
        (galaxy,) = [g["Galaxy"] for g in api.view("/galaxies/index")]
        cluster = a_cluster(api, galaxy)
        an_event(api)
        link = connect_to(node, peer, pull=False, push=True, push_galaxy_clusters=True)
        link.push("full")

        def pushed() -> list[Question]:
            return [q for q in peer.asked if q.path.endswith("/galaxies/pushCluster")]

        (one,) = pushed()
        assert [c["GalaxyCluster"]["uuid"] for c in one.json()] == [cluster["uuid"]]
        paths = peer.paths("POST")
        (added,) = [at for at, path in enumerate(paths) if path.startswith("/events/add")]
        assert paths.index("/galaxies/pushCluster") < added
        link.push("full")
        assert len(pushed()) == 1, "the ledger knows that it went"

        group = api.ok(
            "/sharing_groups/add",
            {"SharingGroup": {"name": f"Group {uuid4()}", "releasability": "x", "roaming": True}},
        )["SharingGroup"]
        hidden = a_cluster(api, galaxy, distribution=4, sharing_group_id=group["id"])
        link.push("full")
        assert link.entry(hidden["uuid"], "push")["outcome"] == "rule"
        api.ok(f"/sharing_groups/addOrg/{group['id']}/{peer.organisation['uuid']}")
        link.push("full")
        (shared,) = pushed()[1].json()
        assert shared["GalaxyCluster"]["distribution"] == "4"
        assert shared["GalaxyCluster"]["SharingGroup"]["uuid"] == group["uuid"]
        assert link.entry(hidden["uuid"], "push")["outcome"] == "done"


def test_a_cluster_that_an_event_carries_goes_before_it(new_instance: NewInstance) -> None:
    node = named(new_instance(), "TAGGED")
    api = node.api()
    with HostilePeer() as bare:
        peer = taking_clusters(bare)
        sent = {"uuid": str(uuid4()), "value": "x", "version": 1, "type": GALAXY["type"], "Galaxy": GALAXY}
        api.ok("/galaxies/import", [{"GalaxyCluster": sent}])
        (galaxy,) = [g["Galaxy"] for g in api.view("/galaxies/index")]
        cluster, other = a_cluster(api, galaxy), a_cluster(api, galaxy)
        event = an_event(api, Tag=[{"name": cluster["tag_name"]}])
        link = connect_to(node, peer, pull=False, push=True, push_galaxy_clusters=True)
        link.push(event["uuid"])
        paths = peer.paths("POST")
        assert paths.index("/galaxies/pushCluster") < paths.index("/events/add/metadata:1")
        assert link.entry(cluster["uuid"], "push")["outcome"] == "done"
        assert link.ledger(uuid=other["uuid"], direction="push") == []


def test_a_cluster_that_fails_is_tried_again_and_one_that_is_refused_is_not(
    new_instance: NewInstance,
) -> None:
    node = named(new_instance(), "FAILS")
    api = node.api()
    with HostilePeer() as peer:
        sent = {"uuid": str(uuid4()), "value": "x", "version": 1, "type": GALAXY["type"], "Galaxy": GALAXY}
        api.ok("/galaxies/import", [{"GalaxyCluster": sent}])
        (galaxy,) = [g["Galaxy"] for g in api.view("/galaxies/index")]
        cluster = a_cluster(api, galaxy)
        link = connect_to(node, peer, pull=False, push=True, push_galaxy_clusters=True)
        peer.on("POST /galaxies/pushCluster", says({"message": "overloaded"}, 503))
        link.push("full")
        entry = link.entry(cluster["uuid"], "push")
        assert entry["outcome"] == "failed" and "overloaded" in entry["reason"]
        peer.on("POST /galaxies/pushCluster", says({"saved": False, "errors": "not from you"}, 403))
        link.push("full")
        entry = link.entry(cluster["uuid"], "push")
        assert entry["outcome"] == "refused" and "not from you" in entry["reason"]
        asked = len(peer.asked)
        link.push("full")
        assert "/galaxies/pushCluster" not in [q.path for q in peer.asked[asked:]]


# ---- Analyst data --------------------------------------------------------------------------------------


def note(api: Api, about: str, kind: str, level: int = 3, **more: Any) -> dict[str, Any]:
    body = {"note": f"Note {uuid4()}", "distribution": level, "modified": LONG_AGO} | more
    return api.ok(f"/analyst_data/add/Note/{about}/{kind}", body)["Note"]


def note_at(api: Api, uuid: str, kind: str = "Note") -> dict[str, Any] | None:
    return seen(api, f"/analyst_data/view/{kind}/{uuid}")


def test_what_is_said_about_an_event_goes_with_it(near: Instance, far: Instance, link: Link) -> None:
    api = near.api()
    event = an_event(api)
    gone, kept = event["Attribute"]
    until(lambda: seen(far.api(), f"/events/view/{event['uuid']}"), bool)
    until(lambda: link.ledger(uuid=event["uuid"], direction="push"), bool)
    secret = note(api, event["uuid"], "Event", level=0)
    about_secret = note(api, secret["uuid"], "Note")
    inside = note(api, kept["uuid"], "Attribute")
    first = note(api, event["uuid"], "Event", level=2)
    came = until(lambda: note_at(far.api(), first["uuid"]), bool)
    assert (came["note"], came["distribution"], came["locked"]) == (first["note"], "1", True)
    assert came["Orgc"]["uuid"] == host_organisation(api)["uuid"]
    assert (came["object_uuid"], came["object_type"], came["modified"]) == (event["uuid"], "Event", LONG_AGO)
    second = note(api, gone["uuid"], "Attribute")
    opinion = api.ok(
        f"/analyst_data/add/Opinion/{second['uuid']}/Note",
        {"opinion": 70, "comment": "so", "distribution": 3},
    )["Opinion"]
    said = until(lambda: note_at(far.api(), opinion["uuid"], "Opinion"), bool)
    assert (said["opinion"], said["comment"], said["object_uuid"]) == ("70", "so", second["uuid"])
    assert note_at(far.api(), second["uuid"]) is not None, "what it is about came before it"
    entry = until(lambda: link.ledger(uuid=secret["uuid"], direction="push"), bool)[0]
    assert entry["outcome"] == "rule"
    assert link.ledger(uuid=inside["uuid"], direction="push") == [], "its attribute did not go"
    for stays in (secret, about_secret, inside):
        assert note_at(far.api(), stays["uuid"]) is None

    api.ok(f"/analyst_data/edit/Note/{first['uuid']}", {"note": "Changed"})
    until(lambda: note_at(far.api(), first["uuid"]), lambda came: came["note"] == "Changed")


def test_analyst_data_is_there_with_a_new_event(near: Instance, far: Instance, link: Link) -> None:
    api = near.api()
    body = {
        "info": f"Event {uuid4()}",
        "distribution": 3,
        "Attribute": [{"type": "domain", "value": "a.example"}],
    }
    event = api.ok("/events/add", body)["Event"]
    about = note(api, event["uuid"], "Event")
    assert note_at(far.api(), about["uuid"]) is None
    api.ok(f"/events/publish/{event['id']}")
    until(lambda: note_at(far.api(), about["uuid"]), bool)


def test_a_full_push_brings_what_was_said_before(
    near: Instance, new_instance: NewInstance, galaxy: dict[str, Any]
) -> None:
    api, other = near.api(), named(new_instance(), "LATER")
    link = connect(near, other, pull=False, push_analyst_data=False)
    event, cluster = an_event(api), a_cluster(api, galaxy)
    said = [note(api, event["uuid"], "Event"), note(api, cluster["uuid"], "GalaxyCluster")]
    link.push("full")
    assert seen(other.api(), f"/events/view/{event['uuid']}") is not None
    assert cluster_at(other.api(), cluster["uuid"]) is not None
    assert [note_at(other.api(), one["uuid"]) for one in said] == [None, None], "the connection gives none"
    api.ok(f"/servers/edit/{link.server_id}", {"Server": {"push_analyst_data": True}})
    link.push("full")
    assert all(note_at(other.api(), one["uuid"]) for one in said)


# ---- Bodies and lists ----------------------------------------------------------------------------------


def test_large_bodies_are_compressed_for_who_takes_them_so(new_instance: NewInstance) -> None:
    node = named(new_instance(), "PACKED")
    event = an_event(node.api(), EventReport=[{"name": "Report", "content": "all alike " * 500}])
    permissions = {"perm_sync": True, "perm_sighting": True}
    for encodings, expected in ((["gzip"], "gzip"), ([], None)):
        with HostilePeer() as peer:
            version = {"version": "2.5.30", "request_encoding": encodings} | permissions
            peer.on("GET /servers/getVersion", says(version))
            link = connect_to(node, peer, pull=False, push=True)
            link.push(event["uuid"])
            by_path = {q.path: q for q in peer.asked}
            assert "content-encoding" not in by_path["/events/filterEventIdsForPush"].headers, "it is small"
            added = by_path["/events/add/metadata:1"]
            assert added.headers.get("content-encoding") == expected
            body = gzip.decompress(added.body) if expected else added.body
            assert json.loads(body)["Event"]["uuid"] == event["uuid"]


def test_two_of_ours_exchange_bodies_by_brotli(near: Instance, new_instance: NewInstance) -> None:
    other = named(new_instance(), "BROTLI")
    with Relay(other) as relay:
        link = connect(near, other, pull=False, url=relay.url)
        event = an_event(near.api(), EventReport=[{"name": "Report", "content": "all alike " * 500}])
        until(lambda: seen(other.api(), f"/events/view/{event['uuid']}"), bool)
        until(lambda: link.ledger(uuid=event["uuid"], direction="push"), bool)
        (added,) = relay.asked("/events/add")
        assert added.headers["content-encoding"] == "br"
        assert len(added.body) < 2500


def test_an_idle_pull_is_told_that_nothing_changed(near: Instance, new_instance: NewInstance) -> None:
    node = named(new_instance(), "IDLE")
    event = an_event(near.api())
    with Relay(near) as relay:
        quiet = {"pull_galaxy_clusters": False, "pull_analyst_data": False, "push": False}
        link = connect(node, near, url=relay.url, **quiet)
        link.pull()
        assert seen(node.api(), f"/events/view/{event['uuid']}") is not None
        link.pull()
        before = len(relay.passed)
        link.pull()
        asked = relay.passed[before:]
        assert [(p.method, p.status) for p in asked if p.path == "/events/index"] == [("POST", 304)]
        assert [p.path for p in asked if "/view/" in p.path or "Sightings" in p.path] == []
        an_event(near.api())
        before = len(relay.passed)
        assert "1 events pulled" in link.pull()
        assert [p.status for p in relay.passed[before:] if p.path == "/events/index"] == [200]
