"""Workflows: what a graph of MISP's editor says happens by itself, before something is published and after
something was saved."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from conftest import NewInstance
from harness.api import Api
from harness.instance import Instance
from harness.people import ORG_ADMIN, PUBLISHER, new_member
from harness.workflows import (
    ARBITRARY_URLS,
    Receiver,
    a_workflow,
    an_event,
    graph,
    node,
    setting,
    tags,
)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def api(server: Instance) -> Iterator[Api]:
    """A server with workflows switched on, and none there."""
    api = server.api()
    setting(api, "Plugin.Workflow_enable", True)
    setting(api, ARBITRARY_URLS, True)
    for module in ("tag_operation", "count-if", "threat-level-if", "publish-event"):
        api.ok(f"/workflows/toggleModule/{module}/1")
    yield api
    for workflow in api.view("/workflows/index"):
        api.ok(f"/workflows/delete/{workflow['Workflow']['id']}")
    for trigger in api.view("/workflows/triggers"):
        api.ok(f"/workflows/toggleModule/{trigger['id']}/0/1")


NO_RED = (
    node(1, "event-publish", 2),
    node(2, "tag-if", 3, 0, scope="event", condition="in_or", tags=["tlp:red"]),
    node(3, "stop-execution", message="{{ Event.info }} is red"),
)


def test_publishing_is_refused_where_a_workflow_stops_it(api: Api) -> None:
    workflow = a_workflow(api, *NO_RED)
    red = an_event(api, Tag=[{"name": "tlp:red"}])
    answer = api.post(f"/events/publish/{red['id']}")
    assert answer.status_code == 403
    assert f"{red['info']} is red" in answer.json()["message"]
    assert "`stop-execution` (3)" in answer.json()["message"]
    assert api.view(f"/events/view/{red['id']}")["Event"]["published"] is False
    green = an_event(api, Tag=[{"name": "tlp:green"}])
    api.ok(f"/events/publish/{green['id']}")
    assert api.view(f"/events/view/{green['id']}")["Event"]["published"] is True
    assert api.view(f"/workflows/view/{workflow['id']}")["Workflow"]["counter"] == "2"


def test_no_way_of_publishing_leads_around_a_workflow(api: Api) -> None:
    a_workflow(api, *NO_RED)
    added = an_event(api, published=True, Tag=[{"name": "tlp:red"}])
    edited = an_event(api, Tag=[{"name": "tlp:red"}])
    api.ok(f"/events/edit/{edited['id']}", {"info": edited["info"], "published": True})
    alerted = an_event(api, Tag=[{"name": "tlp:red"}])
    assert api.post(f"/events/alert/{alerted['id']}").status_code == 403
    for event in (added, edited, alerted):
        assert api.view(f"/events/view/{event['id']}")["Event"]["published"] is False
    right = an_event(api, published=True)
    assert api.view(f"/events/view/{right['id']}")["Event"]["published"] is True


def test_who_may_not_publish_begins_no_workflow(api: Api) -> None:
    workflow = a_workflow(api, *NO_RED)
    red = an_event(api, Tag=[{"name": "tlp:red"}], distribution=3)
    stranger = new_member(api, PUBLISHER)
    assert stranger.api.post(f"/events/publish/{red['id']}").status_code in (403, 404)
    assert api.view(f"/workflows/view/{workflow['id']}")["Workflow"]["counter"] == "0"


def test_saving_is_refused_where_a_workflow_stops_it(api: Api) -> None:
    a_workflow(
        api,
        node(1, "event-before-save", 2),
        node(2, "generic-if", 3, 0, hash_path="Event.Attribute.{n}.type", operator="in", value="email"),
        node(3, "stop-execution", message="No mail addresses"),
    )
    mail = {"type": "email", "value": f"{uuid4()}@example.org"}
    answer = api.post("/events/add", {"info": "With an address", "Attribute": [mail]})
    assert answer.status_code == 403
    assert "No mail addresses" in answer.text
    event = an_event(api)
    assert api.post(f"/events/edit/{event['id']}", {"info": "x", "Attribute": [mail]}).status_code == 403
    assert api.view(f"/events/view/{event['id']}")["Event"]["info"] == event["info"]


def test_a_tag_is_attached_after_saving_and_the_event_is_told(api: Api, receiver: Receiver) -> None:
    tag = f"by-itself:{uuid4()}"
    a_workflow(
        api,
        node(1, "event-after-save", 2),
        node(2, "tag_operation", 3, scope="event", action="add", locality="local", tags=[tag]),
        node(3, "webhook", 0, url=f"{receiver.url}/hook", headers="X-From: a workflow\nAuthorization: key"),
    )
    event = an_event(
        api, Attribute=[{"type": "domain", "value": "a.example.org", "Tag": [{"name": "tlp:red"}]}]
    )
    told = receiver.about(event)
    assert told["Event"]["info"] == event["info"]
    assert told["Event"]["Orgc"]["uuid"] == event["Orgc"]["uuid"]
    (attribute,) = told["Event"]["_AttributeFlattened"]
    assert (attribute["type"], attribute["value"]) == ("domain", "a.example.org")
    assert told["user"]["email"]
    assert tags(api.view(f"/events/view/{event['id']}")["Event"]) == [tag]


def test_a_workflow_does_not_begin_itself(api: Api, receiver: Receiver) -> None:
    tag = f"again:{uuid4()}"
    workflow = a_workflow(
        api,
        node(1, "event-after-save", 2),
        node(2, "tag_operation", 3, scope="event", action="add", locality="global", tags=[tag]),
        node(3, "webhook", 0, url=f"{receiver.url}/hook"),
    )
    first, second = an_event(api), an_event(api)
    receiver.about(first)
    receiver.about(second)
    # What the first two did stands in the log before this.
    last = an_event(api)
    receiver.about(last)
    assert receiver.heard.empty()
    ran = int(api.view(f"/workflows/view/{workflow['id']}")["Workflow"]["counter"])
    assert ran <= 3


def test_what_is_switched_off_does_nothing(api: Api, receiver: Receiver) -> None:
    off = a_workflow(api, node(1, "event-after-save", 2), node(2, "webhook", url=f"{receiver.url}/off"))
    a_workflow(api, node(1, "event-after-save", 2), node(2, "webhook", url=f"{receiver.url}/hook"))
    api.ok(f"/workflows/disable/{off['id']}")
    event = an_event(api)
    heard = [receiver.next()[0]]
    assert heard == ["/hook"], "workflows run in order: the first would have been heard first"
    api.ok(f"/workflows/enable/{off['id']}")
    event = an_event(api)
    assert receiver.about(event, "/off")
    a_workflow(api, *NO_RED)
    api.ok("/workflows/toggleModule/event-publish/0/1")
    red = an_event(api, Tag=[{"name": "tlp:red"}])
    api.ok(f"/events/publish/{red['id']}")
    api.ok("/workflows/toggleModule/event-publish/1/1")
    setting(api, "Plugin.Workflow_enable", False)
    api.ok(f"/events/publish/{red['id']}")


def test_attributes_objects_sightings_reports_and_users_begin_workflows(api: Api, receiver: Receiver) -> None:
    for trigger in ("attribute", "object", "sighting", "event-report", "user"):
        a_workflow(
            api,
            node(1, f"{trigger}-after-save", 2),
            node(2, "webhook", url=f"{receiver.url}/{trigger}"),
        )
    event = an_event(api)
    path, _, told = receiver, None, None
    attribute = api.ok(f"/attributes/add/{event['id']}", {"type": "domain", "value": "b.example.org"})[
        "Attribute"
    ]
    path, _, told = receiver.next()
    assert path == "/attribute"
    assert [a["uuid"] for a in told["Event"]["Attribute"]] == [attribute["uuid"]]
    api.ok(f"/sightings/add/{attribute['id']}", {"source": "a sensor"})
    path, _, told = receiver.next()
    assert (path, told["Sighting"]["source"]) == ("/sighting", "a sensor")
    api.ok(f"/eventReports/add/{event['id']}", {"name": "A report", "content": "x"})
    path, _, told = receiver.next()
    assert (path, told["EventReport"]["name"]) == ("/event-report", "A report")
    member = new_member(api, ORG_ADMIN)
    path, _, told = receiver.next()
    assert (path, told["User"]["email"]) == ("/user", member.email)
    assert member.key not in json.dumps(told)


def test_a_filter_leaves_what_an_action_is_for(api: Api, receiver: Receiver) -> None:
    tag = f"domains:{uuid4()}"
    action = node(2, "tag_operation", 3, scope="attribute", action="add", locality="local", tags=[tag])
    action["data"]["saved_filters"] = {
        "selector": "Event._AttributeFlattened.{n}",
        "path": "type",
        "operator": "equals",
        "value": "domain",
    }
    a_workflow(api, node(1, "event-after-save", 2), action, node(3, "webhook", url=f"{receiver.url}/hook"))
    values = [{"type": "domain", "value": "c.example.org"}, {"type": "ip-src", "value": "192.0.2.7"}]
    event = an_event(api, Attribute=values)
    receiver.about(event)
    after = api.view(f"/events/view/{event['id']}")["Event"]["Attribute"]
    assert {a["type"]: tags(a) for a in after} == {"domain": [tag], "ip-src": []}


def test_an_action_that_fails_is_told_and_ends_its_way(api: Api, receiver: Receiver) -> None:
    workflow = a_workflow(
        api,
        node(1, "event-after-save", 2),
        node(2, "webhook", 3, url=f"{receiver.url}/broken"),
        node(3, "webhook", url=f"{receiver.url}/behind"),
    )
    a_workflow(api, node(1, "event-after-save", 2), node(2, "webhook", url=f"{receiver.url}/hook"))
    event = an_event(api)
    assert receiver.next()[0] == "/broken"
    assert receiver.about(event), "others run all the same"
    log = api.ok("/admin/auditLogs/index", {"model": "Workflow", "action": "run", "model_id": workflow["id"]})
    (entry,) = [e["AuditLog"] for e in log]
    change = json.dumps(entry["change"])
    assert "status 500" in change
    assert "`webhook` (2)" in change


def test_no_address_is_called_unless_that_is_allowed(api: Api, receiver: Receiver) -> None:
    workflow = a_workflow(api, node(1, "event-after-save", 2), node(2, "webhook", url=f"{receiver.url}/hook"))
    setting(api, ARBITRARY_URLS, False)
    run = api.ok(f"/workflows/executeWorkflow/{workflow['id']}", {"Workflow": {"data": "{}"}})
    assert ARBITRARY_URLS in run["errors"][0]
    assert receiver.heard.empty()


def test_a_workflow_runs_on_data_that_is_brought(api: Api) -> None:
    workflow = a_workflow(
        api,
        node(1, "event-publish", 2),
        node(2, "count-if", 3, 0, selector="Event.Tag.{n}", operator="greater", value="1"),
        node(3, "stop-execution", message="Too many"),
    )

    def run(data: Any) -> tuple[bool, str]:
        answer = api.ok(
            f"/workflows/executeWorkflow/{workflow['id']}", {"Workflow": {"data": json.dumps(data)}}
        )
        return answer["success"], answer["outcome"]

    assert run({"Event": {"Tag": [{"name": "a"}, {"name": "b"}]}}) == (False, "blocked")
    assert run({"Event": {"Tag": [{"name": "a"}]}}) == (True, "success")
    assert run([]) == (True, "success")


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        ([], "it has none"),
        ([node(1, "event-publish"), node(4, "event-publish")], "nodes 1, 4"),
        ([node(1, "event-publish", 9)], "Node 1 leads to node 9"),
        ([node(1, "event-publish"), node(5, "make-tea")], "Node 5 is of the unknown module `make-tea`"),
        ([node(1, "event-publish", 0, 2), node(2, "webhook")], "Node 1 has no port `output_2`"),
        ([node(1, "event-publish", 2), node(2, "webhook", 3), node(3, "webhook", 2)], "a cycle: nodes 2, 3"),
    ],
)
def test_a_graph_that_cannot_run_is_refused_with_its_node(api: Api, nodes: list[Any], said: str) -> None:
    answer = api.post("/workflows/add", {"name": "x", "data": graph(*nodes)})
    assert answer.status_code == 403
    assert said in " ".join(answer.json()["errors"]["data"])
    assert said in " ".join(api.ok("/workflows/checkGraph", {"graph": json.dumps(graph(*nodes))})["errors"])
    assert api.view("/workflows/index") == []


def test_a_graph_is_kept_as_it_was_drawn(api: Api) -> None:
    drawn = graph(*NO_RED) | {"_frames": [{"id": "f", "nodes": [1]}]}
    added = api.ok("/workflows/add", {"Workflow": {"name": "Drawn", "description": "d", "data": drawn}})[
        "Workflow"
    ]
    assert added["data"] == drawn
    assert (added["enabled"], added["counter"], added["trigger_id"]) == (True, "0", "event-publish")
    edited = api.ok(f"/workflows/edit/{added['uuid']}", {"Workflow": {"name": "Renamed"}})["Workflow"]
    assert (edited["name"], edited["description"], edited["data"]) == ("Renamed", "d", drawn)
    exported = api.view(f"/workflows/export/{added['id']}")
    assert api.post("/workflows/import", exported).status_code == 403, "its uuid is taken"
    api.ok(f"/workflows/delete/{added['id']}")
    assert api.get(f"/workflows/view/{added['id']}").status_code == 404
    assert api.ok("/workflows/import", exported)["Workflow"]["uuid"] == added["uuid"]
    begun = api.ok("/workflows/add", {"trigger_id": "event-after-save"})["Workflow"]
    assert begun["name"] == "Workflow for trigger event-after-save"


def test_modules_are_listed_and_switched(api: Api) -> None:
    triggers = {t["id"]: t for t in api.view("/workflows/triggers")}
    assert triggers["event-publish"]["blocking"] is True
    assert triggers["event-publish"]["disabled"] is True
    api.ok("/workflows/toggleModule/event-publish/1/1")
    assert api.view("/workflows/moduleView/event-publish")["disabled"] is False
    assert "event-publish" in [t["id"] for t in api.view("/workflows/triggers/enabled:1")]
    logic = [m["id"] for m in api.view("/workflows/moduleIndex/type:logic")]
    assert "tag-if" in logic
    assert "webhook" not in logic
    api.ok("/workflows/massToggleField/enabled/0", {"Workflow": {"module_ids": '["webhook","no-such"]'}})
    assert api.view("/workflows/moduleView/webhook")["disabled"] is True
    api.ok("/workflows/massToggleField/enabled/1", {"module_ids": ["webhook"]})
    assert api.get("/workflows/moduleView/no-such").status_code == 404
    assert api.post("/workflows/toggleModule/no-such/1").status_code == 404


def test_blueprints_are_kept(api: Api) -> None:
    nodes = [node(2, "tag-if", 3), node(3, "stop-execution")]
    sent = {"WorkflowBlueprint": {"name": "No red", "description": "", "data": json.dumps(nodes)}}
    added = api.ok("/workflowBlueprints/add", sent)["WorkflowBlueprint"]
    assert (added["default"], added["data"]) == (False, nodes)
    edited = api.ok(f"/workflowBlueprints/edit/{added['id']}", {"description": "Said"})["WorkflowBlueprint"]
    assert (edited["name"], edited["description"], edited["data"]) == ("No red", "Said", nodes)
    exported = api.view(f"/workflowBlueprints/export/{added['uuid']}")
    api.ok(f"/workflowBlueprints/delete/{added['id']}")
    again = api.ok("/workflowBlueprints/import", {"WorkflowBlueprint": {"json": json.dumps(exported)}})
    assert again["WorkflowBlueprint"]["uuid"] == added["uuid"]
    assert len(api.view("/workflowBlueprints/index")) == 1
    assert api.post("/workflowBlueprints/add", {"name": "x", "data": "["}).status_code == 403
    # There is no library of them here, as in a MISP whose folder of them is empty.
    update = api.post("/workflowBlueprints/update")
    assert update.status_code == 404
    assert "Default blueprints could not be loaded" in update.json()["message"]


def test_workflows_are_for_site_admins_alone(api: Api) -> None:
    workflow = a_workflow(api, *NO_RED)
    chief = new_member(api, ORG_ADMIN).api
    for path in ("index", f"view/{workflow['id']}", "triggers", "moduleIndex"):
        assert chief.get(f"/workflows/{path}").status_code == 403, path
    assert chief.post(f"/workflows/delete/{workflow['id']}").status_code == 403
    assert chief.get("/workflowBlueprints/index").status_code == 403


def test_what_was_saved_before_a_crash_is_followed_after_it(
    new_instance: NewInstance, receiver: Receiver
) -> None:
    instance = new_instance().start()
    api = instance.api()
    setting(api, "Plugin.Workflow_enable", True)
    setting(api, ARBITRARY_URLS, True)
    a_workflow(api, node(1, "event-after-save", 2), node(2, "webhook", url=f"{receiver.url}/hook"))
    event = an_event(api)
    instance.kill()
    api = instance.start().api()
    assert receiver.about(event)
    later = an_event(api)
    assert receiver.about(later)
    assert instance.stop() == 0
    instance.cli("db", "check")
