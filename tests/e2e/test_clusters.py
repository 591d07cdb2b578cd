"""Custom galaxy clusters, their relations, tag collections and favourites: made, seen, shared, refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from harness.api import Api
from harness.instance import KNOWLEDGE, Instance
from harness.people import PUBLISHER, SYNC_USER, USER, Member, new_member, new_organisation

OWN, COMMUNITY, ALL = 0, 1, 3


@dataclass(frozen=True)
class World:
    admin: Api
    editor: Member  # may edit clusters and tags, and publish
    colleague: Member  # of the same organisation
    stranger: Member
    galaxy: dict[str, Any]


@pytest.fixture(scope="module")
def world(server: Instance) -> World:
    admin = server.api()
    role = admin.ok(
        "/admin/roles/add",
        {
            "name": f"Galaxy editor {uuid4()}",
            "permission": "3",
            "perm_auth": True,
            "perm_tagger": True,
            "perm_tag_editor": True,
            "perm_galaxy_editor": True,
        },
    )["Role"]
    organisation = new_organisation(admin)
    editor = new_member(admin, int(role["id"]), organisation)
    colleague, stranger = new_member(admin, USER, organisation), new_member(admin, PUBLISHER)
    sent = [in_a_galaxy({"uuid": str(uuid4()), "value": "The first", "version": 1})]
    admin.ok("/galaxies/import", sent)
    (galaxy,) = [g["Galaxy"] for g in admin.view("/galaxies/index") if g["Galaxy"]["type"] == "e2e-actor"]
    return World(admin, editor, colleague, stranger, galaxy)


GALAXY = {
    "uuid": "5f9a2b1c-0000-4000-8000-0000000000aa",
    "name": "Actors of the tests",
    "type": "e2e-actor",
    "description": "Who does it",
    "version": "1",
    "icon": "user",
    "namespace": "e2e",
}


def in_a_galaxy(cluster: dict[str, Any]) -> dict[str, Any]:
    return {"GalaxyCluster": {"distribution": "3", **cluster, "type": GALAXY["type"], "Galaxy": GALAXY}}


def add(world: World, **fields: Any) -> dict[str, Any]:
    """A new cluster of the editor."""
    body = {"value": f"Cluster {uuid4()}", "distribution": ALL, **fields}
    return world.editor.api.ok(f"/galaxy_clusters/add/{world.galaxy['id']}", body)["GalaxyCluster"]


def an_event(member: Api, **fields: Any) -> dict[str, Any]:
    body = {"info": f"Event {uuid4()}", "distribution": ALL, **fields}
    return member.ok("/events/add", body)["Event"]


# Clusters


def test_a_cluster_is_made_changed_published_and_taken_away(world: World) -> None:
    api = world.editor.api
    made = add(world, authors=["A", "B"], elements='[{"key":"synonyms","value":"Bear"}]', source="open")
    assert made["tag_name"] == f'misp-galaxy:e2e-actor="{made["uuid"]}"'
    assert (made["default"], made["published"], made["deleted"]) == (False, False, False)
    assert made["authors"] == ["A", "B"]
    assert [(e["key"], e["value"]) for e in made["GalaxyElement"]] == [("synonyms", "Bear")]
    assert made["Orgc"]["uuid"] == world.editor.organisation_uuid
    assert made["Galaxy"]["uuid"] == GALAXY["uuid"]

    change = {"GalaxyElement": [{"key": "country", "value": "BE"}, {"key": "country", "value": "NL"}]}
    changed = api.ok(f"/galaxy_clusters/edit/{made['uuid']}", {"GalaxyCluster": change})["GalaxyCluster"]
    assert changed["value"] == made["value"]
    assert [e["value"] for e in changed["GalaxyElement"]] == ["BE", "NL"]
    assert int(changed["version"]) > int(made["version"])

    said = api.ok(f"/galaxy_clusters/publish/{made['id']}")
    assert said["saved"] is True
    assert api.post(f"/galaxy_clusters/publish/{made['id']}").status_code == 405
    assert api.view(f"/galaxy_clusters/view/{made['id']}")["GalaxyCluster"]["published"] is True
    api.ok(f"/galaxy_clusters/unpublish/{made['id']}")

    api.ok(f"/galaxy_clusters/delete/{made['id']}")
    assert api.view(f"/galaxy_clusters/view/{made['id']}")["GalaxyCluster"]["deleted"] is True
    api.ok(f"/galaxy_clusters/restore/{made['id']}")
    said = api.ok(f"/galaxy_clusters/delete/{made['id']}", {"hard": 1})
    assert "block list" in said["message"]
    assert api.get(f"/galaxy_clusters/view/{made['id']}").status_code == 404

    again = api.post(f"/galaxy_clusters/add/{world.galaxy['id']}", {"value": "x", "uuid": made["uuid"]})
    assert again.status_code == 403
    assert again.json()["errors"] == "Blocked by blocklist"
    blocked = [b["GalaxyClusterBlocklist"] for b in world.admin.view("/galaxyClusterBlocklists/index")]
    assert made["uuid"] in [entry["cluster_uuid"] for entry in blocked]
    world.admin.ok(f"/galaxyClusterBlocklists/delete/{made['uuid']}")
    assert add(world, uuid=made["uuid"])["uuid"] == made["uuid"]


def test_a_cluster_is_for_its_organisation_alone_when_it_says_so(world: World) -> None:
    made = add(world, distribution=OWN, elements=[{"key": "synonyms", "value": "Hidden"}])
    path = f"/galaxy_clusters/view/{made['uuid']}"
    assert world.colleague.api.get(path).status_code == 200
    assert world.stranger.api.get(path).status_code == 404
    assert made["id"] not in [
        c["id"] for c in world.stranger.api.view(f"/galaxies/view/{world.galaxy['id']}")["GalaxyCluster"]
    ]
    event = an_event(world.editor.api, Tag=[{"name": made["tag_name"]}])
    seen = world.colleague.api.view(f"/events/view/{event['id']}")["Event"]
    assert seen["Galaxy"][0]["GalaxyCluster"][0]["meta"] == {"synonyms": ["Hidden"]}
    assert seen["Tag"][0]["is_custom_galaxy"] is True
    hidden = world.stranger.api.view(f"/events/view/{event['id']}")["Event"]
    assert hidden["Galaxy"] == []
    assert [tag["name"] for tag in hidden["Tag"]] == [made["tag_name"]], "the tag itself is no secret"
    asked = {"returnFormat": "json", "galaxy.synonyms": "Hidden"}
    assert len(world.colleague.api.ok("/events/restSearch", asked)["response"]) == 1
    assert world.stranger.api.ok("/events/restSearch", asked)["response"] == []
    found = world.stranger.api.ok("/galaxy_clusters/restSearch", {"uuid": made["uuid"]})
    assert found["response"] == []


def test_only_editors_of_the_creator_organisation_change_a_cluster(world: World) -> None:
    made = add(world)
    assert world.stranger.api.post(f"/galaxy_clusters/edit/{made['id']}", {"value": "x"}).status_code in {
        403,
        405,
    }
    role = world.admin.view("/roles/index")
    editor = next(r["Role"] for r in role if r["Role"]["name"].startswith("Galaxy editor"))
    other = new_member(world.admin, int(editor["id"]))
    refused = other.api.post(f"/galaxy_clusters/edit/{made['id']}", {"value": "x"})
    assert refused.status_code == 405
    assert refused.json()["message"] == "Only the creator organisation can modify the galaxy cluster"
    for action in ["publish", "delete", "restore"]:
        assert other.api.post(f"/galaxy_clusters/{action}/{made['id']}").status_code == 405
    assert (
        world.editor.api.view(f"/galaxy_clusters/view/{made['id']}")["GalaxyCluster"]["value"]
        == made["value"]
    )


def test_a_fork_begins_as_what_it_was_forked_from(world: World) -> None:
    parent = add(world, elements=[{"key": "synonyms", "value": "Old name"}], description="The old one")
    path = f"/galaxy_clusters/add/{world.galaxy['id']}/forkUUID:{parent['uuid']}"
    fork = world.editor.api.ok(path, {"GalaxyCluster": {"value": "Fork", "distribution": ALL}})[
        "GalaxyCluster"
    ]
    assert (fork["extends_uuid"], fork["extends_version"]) == (parent["uuid"], parent["version"])
    assert fork["description"] == "The old one"
    assert [e["value"] for e in fork["GalaxyElement"]] == ["Old name"]
    tree = world.editor.api.view(f"/galaxies/forkTree/{world.galaxy['id']}")
    (node,) = [n for n in tree[0]["children"] if n["GalaxyCluster"]["uuid"] == parent["uuid"]]
    assert node["children"][0]["GalaxyCluster"]["uuid"] == fork["uuid"]
    missing = f"/galaxy_clusters/add/{world.galaxy['id']}/forkUuid:{uuid4()}"
    assert world.editor.api.post(missing, {"value": "x"}).status_code == 404


def test_clusters_are_listed_by_context(world: World) -> None:
    made = add(world, elements=[{"key": "synonyms", "value": "Needle in it"}])
    gone = add(world)
    world.editor.api.ok(f"/galaxy_clusters/delete/{gone['id']}")
    path = f"/galaxy_clusters/index/{world.galaxy['uuid']}"

    def listed(**asked: Any) -> list[str]:
        return [c["GalaxyCluster"]["id"] for c in world.editor.api.ok(path, asked)]

    assert made["id"] in listed()
    assert made["id"] in listed(context="custom")
    assert listed(context="default") == []
    assert gone["id"] not in listed(context="all")
    assert gone["id"] in listed(context="deleted")
    assert made["id"] in listed(context="orgc")
    assert listed(searchall="needle IN") == [made["id"]]


# Relations


def test_a_relation_is_seen_from_both_ends_and_carries_tags(world: World) -> None:
    api = world.editor.api
    source, target = add(world), add(world)
    sent = {
        "galaxy_cluster_uuid": source["uuid"],
        "referenced_galaxy_cluster_uuid": target["uuid"],
        "referenced_galaxy_cluster_type": "similar",
        "distribution": 3,
        "tags": "tlp:amber, e2e:likely",
    }
    api.ok("/galaxy_cluster_relations/add/", {"GalaxyClusterRelation": sent})
    (relation,) = api.view(f"/galaxy_clusters/view/{source['id']}")["GalaxyCluster"]["GalaxyClusterRelation"]
    assert relation["referenced_galaxy_cluster_id"] == target["id"]
    assert sorted(tag["name"] for tag in relation["Tag"]) == ["e2e:likely", "tlp:amber"]
    seen = api.view(f"/galaxy_clusters/view/{target['id']}")["GalaxyCluster"]["TargetingClusterRelation"]
    assert [r["galaxy_cluster_uuid"] for r in seen] == [source["uuid"]]
    assert api.post("/galaxy_cluster_relations/add/", sent).status_code == 403, "it is there already"
    unknown = sent | {"referenced_galaxy_cluster_uuid": str(uuid4())}
    assert api.post("/galaxy_cluster_relations/add/", unknown).status_code == 403
    edited = sent | {"referenced_galaxy_cluster_type": "uses", "tags": ""}
    api.ok(f"/galaxy_cluster_relations/edit/{relation['id']}", edited)
    now = api.view(f"/galaxy_cluster_relations/view/{relation['id']}")
    assert now["GalaxyClusterRelation"]["referenced_galaxy_cluster_type"] == "uses"
    assert "Tag" not in now
    assert world.stranger.api.post(f"/galaxy_cluster_relations/delete/{relation['id']}").status_code == 405
    api.ok(f"/galaxy_cluster_relations/delete/{relation['id']}")
    assert api.get(f"/galaxy_cluster_relations/view/{relation['id']}").status_code == 404


def test_a_relation_may_reach_less_far_than_its_cluster(world: World) -> None:
    source, target = add(world), add(world)
    sent = {
        "galaxy_cluster_uuid": source["uuid"],
        "referenced_galaxy_cluster_uuid": target["uuid"],
        "referenced_galaxy_cluster_type": "similar",
        "distribution": 0,
    }
    world.editor.api.ok("/galaxy_cluster_relations/add", sent)

    def relations(api: Api) -> int:
        return len(
            api.view(f"/galaxy_clusters/view/{source['id']}")["GalaxyCluster"]["GalaxyClusterRelation"]
        )

    assert relations(world.colleague.api) == 1
    assert relations(world.stranger.api) == 0


# From and to elsewhere


def test_a_peer_pushes_newer_clusters_and_only_those(world: World) -> None:
    role = world.admin.ok(
        "/admin/roles/add",
        {
            "name": f"Peer {uuid4()}",
            "permission": "3",
            "perm_auth": True,
            "perm_sync": True,
            "perm_galaxy_editor": True,
        },
    )["Role"]
    peer = new_member(world.admin, int(role["id"])).api
    creator = {"uuid": str(uuid4()), "name": f"Far away {uuid4()}"}
    cluster = {
        "uuid": str(uuid4()),
        "value": "From afar",
        "version": "10",
        "Orgc": creator,
        "published": True,
        "GalaxyElement": [{"key": "synonyms", "value": "Afar"}],
        "GalaxyClusterRelation": [
            {
                "referenced_galaxy_cluster_uuid": str(uuid4()),
                "referenced_galaxy_cluster_type": "uses",
                "distribution": "3",
            }
        ],
    }
    said = peer.ok("/galaxies/pushCluster", [in_a_galaxy(cluster)])
    assert said["message"].startswith("Galaxy clusters imported. 1 imported, 0 ignored, 0 failed.")
    came = world.admin.view(f"/galaxy_clusters/view/{cluster['uuid']}")["GalaxyCluster"]
    assert (came["locked"], came["published"], came["Orgc"]["uuid"]) == (True, True, creator["uuid"])
    assert came["GalaxyClusterRelation"][0]["referenced_galaxy_cluster_id"] == "0"

    older = peer.ok("/galaxies/pushCluster", [in_a_galaxy(cluster | {"value": "Older", "version": "9"})])
    assert "0 imported, 1 ignored" in older["message"]
    peer.ok("/galaxies/pushCluster", [in_a_galaxy(cluster | {"value": "Newer", "version": "11"})])
    now = world.admin.view(f"/galaxy_clusters/view/{cluster['uuid']}")["GalaxyCluster"]
    assert (now["value"], len(now["GalaxyClusterRelation"])) == ("Newer", 1)

    own = add(world)
    refused = peer.post(
        "/galaxies/pushCluster", [in_a_galaxy({"uuid": own["uuid"], "value": "Mine", "version": str(2**40)})]
    )
    assert refused.status_code == 403
    assert world.admin.view(f"/galaxy_clusters/view/{own['uuid']}")["GalaxyCluster"]["value"] == own["value"]
    default = in_a_galaxy({"uuid": str(uuid4()), "value": "Default", "default": True})
    assert peer.post("/galaxies/pushCluster", [default]).status_code == 403

    asked = {"published": 1, "minimal": 1, "custom": 1}
    minimal = [c["GalaxyCluster"] for c in peer.ok("/galaxy_clusters/restSearch", asked)["response"]]
    assert {"uuid": cluster["uuid"], "version": "11"} in minimal


def test_what_is_exported_can_be_imported(world: World) -> None:
    made = add(world, elements=[{"key": "synonyms", "value": "Round trip"}])
    exported = world.admin.ok(
        f"/galaxies/export/{world.galaxy['id']}", {"Galaxy": {"default": 1, "custom": 1}}
    )
    (cluster,) = [c for c in exported if c["GalaxyCluster"]["uuid"] == made["uuid"]]
    fresh = str(uuid4())
    cluster["GalaxyCluster"] |= {"uuid": fresh, "Galaxy": GALAXY}
    world.admin.ok("/galaxies/import", [cluster])
    again = world.admin.view(f"/galaxy_clusters/view/{fresh}")["GalaxyCluster"]
    assert [e["value"] for e in again["GalaxyElement"]] == ["Round trip"]
    library = world.admin.ok(f"/galaxies/export/{world.galaxy['id']}", {"Galaxy": {"format": "misp-galaxy"}})
    (value,) = [v for v in library["values"] if v["uuid"] == made["uuid"]]
    assert value["meta"] == {"synonyms": ["Round trip"]}


# Attaching


def test_a_cluster_is_attached_once_and_detached(world: World) -> None:
    api = world.editor.api
    made = add(world)
    event = an_event(api, Attribute=[{"type": "text", "value": str(uuid4())}])
    attribute = event["Attribute"][0]
    for target, kind in [(event["id"], "event"), (attribute["id"], "attribute")]:
        path = f"/galaxies/attachCluster/{target}/{kind}/local:0"
        assert api.ok(path, {"Galaxy": {"target_id": made["id"]}})["success"] == "Cluster attached."
        said = api.ok(path, {"Galaxy": {"target_id": made["uuid"]}})
        assert said == {"saved": True, "success": "Cluster already attached.", "check_publish": True}
    seen = api.view(f"/events/view/{event['id']}")["Event"]
    assert seen["Galaxy"][0]["GalaxyCluster"][0]["uuid"] == made["uuid"]
    assert seen["Attribute"][0]["Galaxy"][0]["GalaxyCluster"][0]["uuid"] == made["uuid"]
    (row,) = [e for e in api.view("/events/index") if e["id"] == event["id"]]
    assert [c["Galaxy"]["uuid"] for c in row["GalaxyCluster"]] == [GALAXY["uuid"]]
    asked = {"returnFormat": "json", "eventid": event["id"], "includeGalaxy": 1}
    (found,) = api.ok("/attributes/restSearch", asked)["response"]["Attribute"]
    assert found["Galaxy"][0]["GalaxyCluster"][0]["uuid"] == made["uuid"]
    tag = seen["Tag"][0]["id"]
    api.ok(f"/galaxy_clusters/detach/{event['id']}/event/{tag}")
    assert api.view(f"/events/view/{event['id']}")["Event"]["Galaxy"] == []
    missing = api.post(
        f"/galaxies/attachCluster/{event['id']}/event", {"Galaxy": {"target_id": str(uuid4())}}
    )
    assert (missing.status_code, missing.json()["message"]) == (404, "Invalid Galaxy cluster")
    foreign = world.stranger.api.post(
        f"/galaxies/attachCluster/{event['id']}/event", {"Galaxy": {"target_id": made["id"]}}
    )
    assert foreign.status_code == 403


def test_a_galaxy_that_is_switched_off_is_not_shown_in_events(world: World) -> None:
    cluster = {"uuid": str(uuid4()), "value": "Off", "version": 1, "distribution": "3", "type": "e2e-off"}
    galaxy = {"uuid": str(uuid4()), "name": "Off", "type": "e2e-off", "version": "1"}
    world.admin.ok("/galaxies/import", [{"GalaxyCluster": cluster | {"Galaxy": galaxy}}])
    event = an_event(world.admin, Tag=[{"name": f'misp-galaxy:e2e-off="{cluster["uuid"]}"'}])

    def shown() -> int:
        return len(world.admin.view(f"/events/view/{event['id']}")["Event"]["Galaxy"])

    assert shown() == 1
    assert world.admin.ok(f"/galaxies/disable/{galaxy['uuid']}")["message"] == "Galaxy disabled"
    assert shown() == 0
    assert world.admin.ok(f"/galaxies/toggle/{galaxy['uuid']}")["message"] == "Galaxy enabled"
    assert shown() == 1
    assert world.stranger.api.post(f"/galaxies/delete/{galaxy['uuid']}").status_code == 403
    world.admin.ok(f"/galaxies/delete/{galaxy['uuid']}")
    assert world.admin.get(f"/galaxies/view/{galaxy['uuid']}").status_code == 404
    assert shown() == 0


# Collections and favourites


def test_a_collection_puts_its_tags_on_an_event_in_one_go(world: World) -> None:
    api = world.editor.api
    names = [f"e2e:{uuid4()}", f"e2e:{uuid4()}"]
    tags = [world.admin.ok("/tags/add", {"name": name})["Tag"] for name in names]
    made = api.ok("/tag_collections/add", {"name": f"Set {uuid4()}", "description": "d", "all_orgs": True})
    number = made["TagCollection"]["id"]
    for tag in tags:
        assert api.ok(f"/tag_collections/addTag/{number}/{tag['id']}")["saved"] is True
    again = api.ok(f"/tag_collections/addTag/{number}/{tags[0]['id']}")
    assert again["success"] == "All tags are already present, nothing to add."
    cluster = add(world)
    attached = api.ok(
        f"/galaxies/attachCluster/{number}/tag_collection", {"Galaxy": {"target_id": cluster["id"]}}
    )
    assert attached["success"] == "Cluster attached."
    shown = world.stranger.api.view(f"/tag_collections/view/{number}")
    assert "User" not in shown, "who made it is for his organisation"
    assert len(shown["TagCollectionTag"]) == 3
    assert shown["Galaxy"][0]["GalaxyCluster"][0]["uuid"] == cluster["uuid"]
    event = an_event(api)
    assert api.ok(f"/events/addTag/{event['id']}/collection_{number}")["success"] == "Tags added."
    carried = {tag["name"] for tag in api.view(f"/events/view/{event['id']}")["Event"]["Tag"]}
    assert carried == {*names, cluster["tag_name"]}
    assert api.ok(f"/events/addTag/{event['id']}/collection_99999") == {
        "saved": False,
        "errors": "Invalid Tag Collection.",
    }
    assert api.ok(f"/tag_collections/removeTag/{number}/{tags[0]['id']}")["success"] == "Tag removed."
    assert world.stranger.api.post(f"/tag_collections/delete/{number}").status_code == 403
    api.ok(f"/tag_collections/edit/{number}", {"all_orgs": False})
    assert world.stranger.api.get(f"/tag_collections/view/{number}").status_code == 404
    api.ok(f"/tag_collections/delete/{number}")
    assert api.get(f"/tag_collections/view/{number}").status_code == 404


def test_collections_are_imported_as_they_are_exported(world: World) -> None:
    collection = {
        "TagCollection": {"uuid": str(uuid4()), "name": f"Set {uuid4()}", "all_orgs": True},
        "TagCollectionTag": [{"Tag": {"name": f"e2e:{uuid4()}"}}],
    }
    said = world.editor.api.ok("/tag_collections/import", [collection, {"TagCollection": {"name": ""}}])
    assert said["message"].startswith("1 new tag collections added. 1 tag collections could not")
    shown = world.editor.api.view(f"/tag_collections/view/{collection['TagCollection']['uuid']}")
    assert len(shown["TagCollectionTag"]) == 1
    assert world.editor.api.ok("/tag_collections/import", [collection])["message"].startswith("No new")


def test_a_favourite_is_ones_own(world: World) -> None:
    tag = world.admin.ok("/tags/add", {"name": f"e2e:{uuid4()}"})["Tag"]
    sent = {"FavouriteTag": {"data": tag["id"]}}
    assert "Adding" in world.stranger.api.ok("/favourite_tags/toggle", sent)["success"]
    assert world.stranger.api.view(f"/tags/view/{tag['id']}")["favourite"] is True
    assert world.editor.api.view(f"/tags/view/{tag['id']}")["favourite"] is False
    assert [t["Tag"]["id"] for t in world.stranger.api.view("/favourite_tags/index")] == [tag["id"]]
    assert "Removing" in world.stranger.api.ok("/favourite_tags/toggle", sent)["success"]
    assert world.stranger.api.view("/favourite_tags/index") == []
    assert world.stranger.api.post("/favourite_tags/toggle", {"FavouriteTag": {"data": 0}}).status_code == 405


# Searching


def test_events_are_found_by_clusters_and_by_organisations(world: World) -> None:
    word = f"Synonym {uuid4()}"
    made = add(world, elements=[{"key": "synonyms", "value": word}, {"key": "country", "value": "BE"}])
    one = an_event(world.editor.api, Tag=[{"name": made["tag_name"]}])
    two = an_event(
        world.editor.api,
        Attribute=[
            {"type": "text", "value": str(uuid4()), "Tag": [{"name": made["tag_name"]}]},
            {"type": "text", "value": str(uuid4())},
        ],
    )

    def found(**asked: Any) -> list[str]:
        answer = world.stranger.api.ok("/events/restSearch", {"returnFormat": "json", "metadata": 1, **asked})
        return [e["Event"]["id"] for e in answer["response"]]

    assert found(**{"galaxy.synonyms": word}) == [one["id"], two["id"]]
    assert found(**{"galaxy.cluster.value": made["value"].lower()}) == [one["id"], two["id"]]
    assert found(**{"galaxy.country": word}) == []
    rest = found(**{"galaxy.synonyms": [f"!{word}"]})
    assert one["id"] not in rest
    assert two["id"] in rest
    trimmed = world.stranger.api.ok(
        "/events/restSearch", {"returnFormat": "json", "eventid": two["id"], "galaxy.synonyms": [f"!{word}"]}
    )["response"][0]["Event"]
    assert [a["value"] for a in trimmed["Attribute"]] == [two["Attribute"][1]["value"]]
    rows = world.stranger.api.ok("/attributes/restSearch", {"returnFormat": "json", "galaxy.synonyms": word})
    assert [a["event_id"] for a in rows["response"]["Attribute"]] == [two["id"]]
    sector = f"Sector {uuid4()}"
    world.admin.ok(f"/admin/organisations/edit/{world.editor.organisation_id}", {"sector": sector})
    assert one["id"] in found(**{"org.sector": sector})
    assert found(**{"org.sector": f"{sector} not"}) == []


# Taxonomies


def test_an_exclusive_taxonomy_allows_one_tag_and_a_required_one_asks_for_it(
    server: Instance, world: World
) -> None:
    if not KNOWLEDGE.exists():
        pytest.skip("the knowledge packages are not here")
    if not world.admin.view("/taxonomies/index"):
        (taxonomies,) = KNOWLEDGE.glob("*axonomi*")
        server.cli("knowledge", "import", taxonomies)
    names = {t["Taxonomy"]["namespace"]: t["Taxonomy"] for t in world.admin.view("/taxonomies/index")}
    tlp = names["tlp"]
    for name in ["tlp:red", "tlp:green", "tlp:white", "tlp:clear"]:
        world.admin.post("/tags/add", {"name": name})
    event = an_event(world.admin, Attribute=[{"type": "text", "value": str(uuid4())}])

    def tag(name: str) -> dict[str, Any]:
        return world.admin.ok("/events/addTag", {"event": event["id"], "tag": name})

    assert tag("tlp:red")["saved"] is True
    assert tag("tlp:green") == {
        "saved": False,
        "errors": "Tag is not allowed due to taxonomy exclusivity settings",
    }
    world.admin.ok("/events/removeTag", {"event": event["id"], "tag": "tlp:red"})
    assert tag("tlp:white")["saved"] is True
    assert tag("tlp:clear")["saved"] is True, "the two are one meaning"

    exported = world.admin.view(f"/taxonomies/export/{tlp['id']}")
    assert (exported["namespace"], exported["exclusive"]) == ("tlp", True)
    world.admin.ok(f"/taxonomies/toggleHighlighted/{tlp['id']}", {"Taxonomy": {"highlighted": True}})
    assert world.admin.view("/taxonomies/view/tlp")["Taxonomy"]["highlighted"] is True
    assert len(world.admin.view(f"/taxonomies/taxonomy_tags/{tlp['id']}")["entries"]) > 3

    other = names["pap" if "pap" in names else "PAP"]
    world.admin.ok(f"/taxonomies/enable/{other['id']}")
    world.admin.ok(f"/taxonomies/toggleRequired/{other['id']}", {"Taxonomy": {"required": True}})
    try:
        refused = world.admin.post(f"/events/publish/{event['id']}")
        assert refused.status_code == 403
        assert other["namespace"] in refused.json()["message"]
        tag(f"{other['namespace']}:RED")
        world.admin.ok(f"/events/publish/{event['id']}")
    finally:
        world.admin.ok(f"/taxonomies/toggleRequired/{other['id']}", {"Taxonomy": {"required": False}})
    world.admin.ok(f"/taxonomies/delete/{other['id']}")
    assert world.admin.get(f"/taxonomies/view/{other['id']}").status_code == 404


def test_a_taxonomy_is_imported_as_it_is_exported(world: World) -> None:
    taxonomy = {
        "namespace": f"e2e-{uuid4()}",
        "description": "Made for a test",
        "version": 2,
        "predicates": [{"value": "scale", "expanded": "A scale", "exclusive": True}],
        "values": [{"predicate": "scale", "entry": [{"value": "high", "numerical_value": 90}]}],
    }
    came = world.admin.ok("/taxonomies/import", taxonomy)
    assert came["Taxonomy"]["enabled"] is False
    (entry,) = came["entries"]
    assert entry["tag"] == f'{taxonomy["namespace"]}:scale="high"'
    assert (entry["numerical_value"], entry["exclusive_predicate"]) == ("90", True)
    exported = world.admin.view(f"/taxonomies/export/{came['Taxonomy']['id']}")
    assert exported["values"] == taxonomy["values"]
    for bad in [{}, {"namespace": "x"}, {"namespace": 5, "predicates": "x"}]:
        assert world.admin.post("/taxonomies/import", bad).status_code == 403
    assert world.stranger.api.post("/taxonomies/import", taxonomy).status_code == 403


# Bad input


@pytest.mark.parametrize(
    "body",
    [
        {"value": ""},
        {"value": "x", "distribution": 5},
        {"value": "x", "distribution": 4, "sharing_group_id": 9999},
        {"value": "x", "uuid": "nonsense"},
        {"value": "x", "elements": "{broken"},
        {"value": "x" * 5000},
        {
            "value": "x",
            "GalaxyClusterRelation": [
                {
                    "referenced_galaxy_cluster_uuid": str(uuid4()),
                    "referenced_galaxy_cluster_type": "y",
                    "distribution": 9,
                }
            ],
        },
    ],
)
def test_a_cluster_that_cannot_be_saved_leaves_nothing(world: World, body: dict[str, Any]) -> None:
    path = f"/galaxy_clusters/index/{world.galaxy['id']}"
    before = len(world.admin.ok(path))
    refused = world.editor.api.post(f"/galaxy_clusters/add/{world.galaxy['id']}", body)
    assert refused.status_code == 403, refused.text[:500]
    assert refused.json()["saved"] is False
    assert len(world.admin.ok(path)) == before


STRANGE = [None, 7, [], "text", {"GalaxyCluster": []}, {"Galaxy": 5}, [[[]]], {"a": {"b": [{}]}}, ["\u0000"]]


@pytest.mark.parametrize(
    "path",
    [
        "/galaxy_clusters/add/1",
        "/galaxy_clusters/edit/1",
        "/galaxy_clusters/index/1",
        "/galaxy_clusters/restSearch",
        "/galaxy_cluster_relations/add",
        "/galaxies/import",
        "/galaxies/pushCluster",
        "/galaxies/attachCluster/1/event",
        "/galaxies/attachMultipleClusters/selected/attribute",
        "/galaxies/export/1",
        "/tag_collections/add",
        "/tag_collections/import",
        "/tag_collections/addTag",
        "/favourite_tags/toggle",
        "/galaxyClusterBlocklists/add",
        "/taxonomies/import",
    ],
)
def test_strange_bodies_are_no_failure_of_the_server(world: World, path: str) -> None:
    for body in STRANGE:
        answer = world.admin.session.post(world.admin.url + path, json=body, timeout=60)
        assert answer.status_code < 500, f"{body!r}: {answer.text[:500]}"
    assert world.admin.raw("POST", path, b'{"broken').status_code in {403, 405}


def test_elements_keep_every_character(world: World) -> None:
    value = 'quote " back \\ tab \t nul \u0000 ünï 🐻'
    made = add(world, GalaxyElement=[{"key": "k\u0000y", "value": value}])
    (element,) = made["GalaxyElement"]
    assert (element["key"], element["value"]) == ("ky", value.replace("\u0000", ""))
    found = world.editor.api.ok("/galaxy_clusters/restSearch", {"elements": {"ky": "%🐻"}})["response"]
    assert [c["GalaxyCluster"]["uuid"] for c in found] == [made["uuid"]]


def test_a_sync_user_without_the_right_pushes_no_clusters(world: World) -> None:
    peer = new_member(world.admin, SYNC_USER)
    answer = peer.api.post("/galaxies/pushCluster", [in_a_galaxy({"uuid": str(uuid4()), "value": "x"})])
    has_right = next(
        r["Role"]["perm_galaxy_editor"] for r in world.admin.view("/roles/index") if r["Role"]["id"] == "5"
    )
    assert answer.status_code == (200 if has_right else 403)
