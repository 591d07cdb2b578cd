"""What workflows do: each action once, seen from where it arrives."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from conftest import NewInstance
from harness.api import Api
from harness.instance import ADMIN_EMAIL, KNOWLEDGE
from harness.mailbox import Mailbox
from harness.people import ORG_ADMIN, USER, new_member
from harness.postgres import free_port
from harness.subscriber import PATIENCE, Subscriber
from harness.workflows import ARBITRARY_URLS, Receiver, a_workflow, an_event, node, setting, tags

SEEN = "Event._AttributeFlattened.{n}"


@pytest.fixture(scope="module")
def mailbox() -> Iterator[Mailbox]:
    with Mailbox() as mailbox:
        yield mailbox


@pytest.fixture(scope="module")
def running(new_instance: NewInstance, mailbox: Mailbox) -> Api:
    """A server that sends mail, with every module switched on."""
    instance = new_instance()
    instance.environment |= mailbox.settings()
    api = instance.start().api()
    setting(api, "Plugin.Workflow_enable", True)
    setting(api, ARBITRARY_URLS, True)
    modules = [m["id"] for m in api.view("/workflows/moduleIndex/type:all")]
    api.ok("/workflows/massToggleField/enabled/1", {"module_ids": modules})
    return api


@pytest.fixture
def api(running: Api) -> Iterator[Api]:
    yield running
    for workflow in running.view("/workflows/index"):
        running.ok(f"/workflows/delete/{workflow['Workflow']['id']}")
    for trigger in running.view("/workflows/triggers"):
        running.ok(f"/workflows/toggleModule/{trigger['id']}/0/1")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


def after_saving(api: Api, receiver: Receiver, *actions: dict[str, Any]) -> dict[str, Any]:
    """A workflow that does this in a row and then tells the receiver."""
    for number, action in enumerate(actions, 2):
        action["id"] = number
        action["outputs"] = {"output_1": {"connections": [{"node": str(number + 1), "output": "input_1"}]}}
    tell = node(len(actions) + 2, "webhook", url=f"{receiver.url}/hook")
    return a_workflow(api, node(1, "event-after-save-new", 2), *actions, tell)


def only(selector: str, path: str, operator: str, value: Any, action: dict[str, Any]) -> dict[str, Any]:
    saved = {"selector": selector, "path": path, "operator": operator, "value": value}
    action["data"]["saved_filters"] = saved
    return action


def stored(api: Api, event: dict[str, Any]) -> dict[str, Any]:
    return api.view(f"/events/view/{event['id']}")["Event"]


TEMPLATE = """{% for a in Event._AttributeFlattened if a.to_ids %}
{{ loop.index }}. {{ a.type | upper }} {{ a.value }}
{%- endfor %}
Tags: {{ Event.Tag | map(attribute='name') | sort | join(', ') }}
{% if Event.published %}out{% else %}not out{% endif %} {{ Event.nothing.there }}<{{ user.email }}>"""


def test_a_mail_says_what_its_template_makes_of_the_event(api: Api, mailbox: Mailbox) -> None:
    reader = new_member(api, USER)
    mail = node(
        2,
        "send-mail",
        recipients=[reader.email],
        mail_template_subject="New: {{ Event.info.upper() }}\n",
        mail_template_body=TEMPLATE,
    )
    a_workflow(api, node(1, "event-after-save-new", 2), mail)
    name = f"{{{{ 7 * 7 }}}} {uuid4()}"
    values = [
        {"type": "domain", "value": "a.example.org", "to_ids": True},
        {"type": "text", "value": "aside", "to_ids": False},
        {"type": "ip-src", "value": "192.0.2.7", "to_ids": True},
    ]
    an_event(api, info=name, Attribute=values, Tag=[{"name": "tlp:red"}, {"name": "pap:green"}])
    heard = mailbox.next()
    assert heard["To"] == reader.email
    # What the event says is no template.
    assert heard["Subject"].endswith(f"New: {name.upper()}")
    body = heard.get_content()
    assert "1. DOMAIN a.example.org" in body
    assert "2. IP-SRC 192.0.2.7" in body
    assert "aside" not in body
    assert "Tags: pap:green, tlp:red" in body
    assert f"not out <{ADMIN_EMAIL}>" in body


def test_recipients_are_accounts_alone(api: Api, mailbox: Mailbox) -> None:
    chief = new_member(api, ORG_ADMIN)
    gone = new_member(api, USER)
    api.ok(f"/admin/users/edit/{gone.user_id}", {"disabled": True})
    subject = f"To whom {uuid4()}"
    mail = {"mail_template_subject": subject, "mail_template_body": "x"}
    nobody = node(2, "send-mail", 0, recipients=[gone.email, "stranger@elsewhere.test"], **mail)
    a_workflow(api, node(1, "event-after-save-new", 2), nobody)
    everybody = node(2, "send-mail", recipients=["All admins", chief.email], **mail)
    a_workflow(api, node(1, "event-after-save-new", 2), everybody)
    an_event(api)
    assert {mailbox.next()["To"], mailbox.next()["To"]} == {ADMIN_EMAIL, chief.email}
    assert mailbox.mails.empty()


def test_what_is_logged_is_told_to_the_admins_of_whom_did_it(api: Api, mailbox: Mailbox) -> None:
    chief = new_member(api, ORG_ADMIN)
    colleague = new_member(api, USER, {"id": chief.organisation_id, "uuid": chief.organisation_uuid})
    subject = f"{{{{ Log.model }}}} {uuid4()}"
    mail = node(
        3,
        "send-log-mail",
        recipients=["Org admins"],
        mail_template_subject=subject,
        mail_template_body="{{ Log | tojson }}",
    )
    is_event = node(2, "generic-if", 3, 0, hash_path="Log.model", operator="in", value="Event")
    a_workflow(api, node(1, "log-after-save", 2), is_event, mail)
    event = an_event(colleague.api)
    heard = mailbox.next()
    assert heard["To"] == chief.email
    assert heard["Subject"].endswith(subject.replace("{{ Log.model }}", "Event"))
    assert json.loads(heard.get_content())["model_id"] == event["id"]


def test_a_template_that_cannot_be_read_is_told(api: Api, mailbox: Mailbox, receiver: Receiver) -> None:
    bad = node(
        2,
        "send-mail",
        0,
        recipients=["All admins"],
        mail_template_subject="{{ Event.info",
        mail_template_body="",
    )
    workflow = a_workflow(api, node(1, "event-after-save-new", 2), bad)
    endless = node(
        2,
        "webhook",
        0,
        url=f"{receiver.url}/hook",
        payload="{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
    )
    other = a_workflow(api, node(1, "event-after-save-new", 2), endless)
    runs = [
        api.ok(f"/workflows/executeWorkflow/{one['id']}", {"Workflow": {"data": '{"Event": {}}'}})
        for one in (workflow, other)
    ]
    assert "`mail_template_subject`: the template cannot be read" in runs[0]["errors"][0]
    assert "takes too many steps" in runs[1]["errors"][0]
    assert mailbox.mails.empty()
    assert receiver.heard.empty()


def test_data_is_pushed_to_those_who_subscribe(api: Api) -> None:
    port = free_port()
    setting(api, "Plugin.ZeroMQ_port", port)
    setting(api, "Plugin.ZeroMQ_enable", True)
    subscriber = Subscriber(port, "misp_json")
    try:
        # Who subscribes has to be known before something is published.
        event = an_event(api)
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and not subscriber.next(500):
            api.ok(f"/events/pushEventToZMQ/{event['id']}")
        picked = node(2, "push-zmq", 3, data_extraction_path=f"{SEEN}[type=/^ip-/].value")
        a_workflow(api, node(1, "event-after-save-new", 2), picked, node(3, "push-zmq"))
        values = [{"type": "ip-dst", "value": "192.0.2.9"}, {"type": "domain", "value": "b.example.org"}]
        event = an_event(api, Attribute=values)
        heard: list[Any] = []
        subscriber.until(
            lambda topic, m: topic == "misp_json_workflow" and (heard.append(m) or len(heard) == 2)
        )
        assert heard[0] == ["192.0.2.9"]
        assert heard[1]["Event"]["uuid"] == event["uuid"]
        setting(api, "Plugin.ZeroMQ_enable", False)
        workflow = a_workflow(api, node(1, "event-publish", 2), node(2, "push-zmq"))
        run = api.ok(f"/workflows/executeWorkflow/{workflow['id']}", {"Workflow": {"data": "{}"}})
        assert "ZMQ event publishing not enabled" in run["errors"][0]
    finally:
        subscriber.close()


def test_attributes_are_changed_and_only_those_a_filter_keeps(api: Api, receiver: Receiver) -> None:
    domains = (SEEN, "type", "equals", "domain")
    after_saving(
        api,
        receiver,
        only(*domains, node(0, "Module_attribute_comment_operation", comment="Of {{ Event.info }}")),
        only(*domains, node(0, "attribute_ids_flag_operation", action="remove")),
    )
    kept = {"type": "ip-src", "value": "192.0.2.7", "comment": "as it was", "to_ids": True}
    event = an_event(api, Attribute=[{"type": "domain", "value": "c.example.org", "to_ids": True}, kept])
    told = {a["type"]: a for a in receiver.about(event)["Event"]["_AttributeFlattened"]}
    now = {a["type"]: a for a in stored(api, event)["Attribute"]}
    for seen in (told, now):
        assert (seen["domain"]["comment"], seen["domain"]["to_ids"]) == (f"Of {event['info']}", False)
        assert (seen["ip-src"]["comment"], seen["ip-src"]["to_ids"]) == ("as it was", True)


def test_an_event_is_sent_further_and_what_comes_next_sees_it(api: Api, receiver: Receiver) -> None:
    after_saving(
        api,
        receiver,
        node(0, "Module_event_distribution_operation", distribution="2", freeze="freeze"),
        node(0, "reload-full-event"),
    )
    event = an_event(api)
    assert receiver.about(event)["Event"]["distribution"] == "2"
    now = stored(api, event)
    assert (now["distribution"], now["timestamp"]) == ("2", event["timestamp"])


def test_spellings_of_tags_are_replaced(api: Api, receiver: Receiver) -> None:
    after_saving(
        api,
        receiver,
        node(0, "tag_replacement_tlp", scope="all", remove_substituted="yes", locality="global"),
        node(0, "tag_replacement_pap", scope="event", locality="global"),
    )
    attribute = {"type": "domain", "value": "d.example.org", "Tag": [{"name": "tlp= red"}]}
    pap = "Permissible Actions Protocol: white"
    event = an_event(api, Tag=[{"name": "TLP: AMBER"}, {"name": pap}], Attribute=[attribute])
    receiver.about(event)
    now = stored(api, event)
    assert sorted(tags(now)) == ["PAP:WHITE", pap, "tlp:amber"]
    assert tags(now["Attribute"][0]) == ["tlp:red"]


def test_values_of_warninglists_are_told_and_added(api: Api, receiver: Receiver) -> None:
    name = f"Ours {uuid4()}"
    own = {
        "name": name,
        "description": "x",
        "type": "string",
        "category": "known",
        "entries": "e.example.org",
    }
    own |= {"enabled": True, "matching_attributes": ["ALL"]}
    number = api.ok("/warninglists/add", own)["Warninglist"]["id"]
    after_saving(
        api,
        receiver,
        node(0, "attach-warninglist", warninglists=[name]),
        only(SEEN, "value", "equals", "f.example.org", node(0, "add_to_warninglist", warninglist=number)),
    )
    values = [{"type": "domain", "value": f"{x}.example.org", "to_ids": True} for x in "efg"]
    event = an_event(api, Attribute=values)
    told = receiver.about(event)["Event"]
    assert [w["name"] for w in told["warnings"]] == [name]
    warned = {a["value"]: [w["match"] for w in a.get("warnings", [])] for a in told["Attribute"]}
    assert warned == {"e.example.org": ["e.example.org"], "f.example.org": [], "g.example.org": []}
    entries = api.view(f"/warninglists/view/{number}")["Warninglist"]["WarninglistEntry"]
    assert sorted(e["value"] for e in entries) == ["e.example.org", "f.example.org"]


def test_scores_are_told(api: Api, receiver: Receiver) -> None:
    model = next(
        m["DecayingModel"] for m in api.view("/decayingModel/index") if m["DecayingModel"]["default"]
    )
    after_saving(api, receiver, node(0, "attach-decay-score", decayingmodels=[model["id"]]))
    event = an_event(api, Attribute=[{"type": "domain", "value": "h.example.org", "to_ids": True}])
    (attribute,) = receiver.about(event)["Event"]["Attribute"]
    (score,) = attribute["decay_score"]
    assert score["DecayingModel"] == {"id": model["id"], "name": model["name"]}
    assert float(score["score"]) >= 0


def test_an_event_is_kept_from_coming_again(api: Api, receiver: Receiver) -> None:
    after_saving(api, receiver, node(0, "add_eventblocklist_entry", block_comment="not again"))
    event = an_event(api)
    receiver.about(event)
    entries = [e["EventBlocklist"] for e in api.view("/eventBlocklists/index")]
    (entry,) = [e for e in entries if e["event_uuid"] == event["uuid"]]
    assert (entry["comment"], entry["event_info"]) == ("not again", event["info"])


def test_proposals_are_refused_told_and_accepted(api: Api, receiver: Receiver) -> None:
    a_workflow(
        api,
        node(1, "shadow-attribute-before-save", 2),
        node(2, "generic-if", 3, 0, hash_path="Event.ShadowAttribute.{n}.type", operator="in", value="email"),
        node(3, "stop-execution", message="No {{ Event.ShadowAttribute[0].value }}"),
    )
    a_workflow(
        api,
        node(1, "shadow-attribute-after-save", 2),
        node(2, "webhook", 3, url=f"{receiver.url}/hook"),
        node(3, "proposal-action", 4, action="accept", proposal_type="any"),
        node(4, "webhook", url=f"{receiver.url}/accepted"),
    )
    event = an_event(api, distribution=3, Attribute=[{"type": "domain", "value": "i.example.org"}])
    api.ok(f"/events/publish/{event['id']}")
    other = new_member(api, USER).api
    refused = other.post(f"/shadowAttributes/add/{event['id']}", {"type": "email", "value": "a@example.org"})
    assert refused.status_code in (403, 405), refused.text
    assert "No a@example.org" in refused.text
    other.ok(f"/shadowAttributes/add/{event['id']}", {"type": "domain", "value": "j.example.org"})
    assert receiver.about(event)["Event"]["ShadowAttribute"][0]["value"] == "j.example.org"
    reloaded = receiver.about(event, "/accepted")["Event"]["Attribute"]
    assert sorted(a["value"] for a in reloaded) == ["i.example.org", "j.example.org"]
    other.ok(f"/shadowAttributes/edit/{event['Attribute'][0]['id']}", {"value": "k.example.org"})
    (attribute,) = receiver.about(event)["Event"]["Attribute"]
    assert attribute["ShadowAttribute"][0]["value"] == "k.example.org"
    receiver.about(event, "/accepted")
    assert "k.example.org" in [a["value"] for a in stored(api, event)["Attribute"]]


def test_users_are_refused_before_they_are_saved(api: Api) -> None:
    a_workflow(
        api,
        node(1, "user-before-save", 2),
        node(
            2,
            "count-if",
            3,
            0,
            selector="User[email=/@elsewhere[.]test$/i].email",
            operator="greater",
            value="0",
        ),
        node(3, "stop-execution", message="Not from there"),
    )
    member = new_member(api, USER)
    account = {"org_id": member.organisation_id, "role_id": USER, "email": f"{uuid4()}@ELSEWHERE.test"}
    answer = api.post("/admin/users/add", account)
    assert answer.status_code == 403
    assert "Not from there" in answer.text
    changed = api.post(f"/admin/users/edit/{member.user_id}", {"email": account["email"]})
    assert changed.status_code == 403
    assert api.view(f"/admin/users/view/{member.user_id}")["User"]["email"] == member.email


def test_an_attached_tag_begins_what_is_about_it(api: Api, receiver: Receiver) -> None:
    mine = f"watched:{uuid4()}"
    trigger = node(1, "tag-attached-after-save", 2, scope="attribute", locality="any", tag=mine)
    a_workflow(api, trigger, node(2, "webhook", url=f"{receiver.url}/hook"))
    event = an_event(api, Attribute=[{"type": "domain", "value": "l.example.org"}])
    attribute = event["Attribute"][0]["id"]
    api.ok(f"/events/addTag/{event['id']}", {"tag": mine})
    api.ok(f"/attributes/addTag/{attribute}", {"tag": f"other:{uuid4()}"})
    api.ok(f"/attributes/addTag/{attribute}", {"tag": mine})
    told = receiver.about(event)
    assert (told["Tag"]["name"], told["Tag"]["attribute_id"]) == (mine, attribute)
    assert receiver.heard.empty()


def test_splunk_and_teams_are_told_in_their_form(api: Api, receiver: Receiver) -> None:
    model = json.dumps({"info": "Event.info", "value": "Attribute.value"})
    splunk = node(
        2,
        "splunk-hec-export",
        url=f"{receiver.url}/services/collector/event",
        hec_token="a-token",
        source_type="misp:event",
        event_per_attribute="1",
        data_extraction_model=model,
    )
    a_workflow(api, node(1, "event-after-save-new", 2), splunk)
    teams = node(2, "ms-teams-webhook", url=f"{receiver.url}/teams", data_extraction_path="Event.info")
    a_workflow(api, node(1, "event-after-save-new", 2), teams)
    event = an_event(api, Attribute=[{"type": "domain", "value": "m.example.org"}])
    heard = {path: (headers, told) for path, headers, told in (receiver.next(), receiver.next())}
    headers, told = heard["/services/collector/event"]
    assert {k.lower(): v for k, v in headers.items()}["authorization"] == "Splunk a-token"
    assert told == {"event": {"info": event["info"], "value": "m.example.org"}, "sourcetype": "misp:event"}
    _, told = heard["/teams"]
    assert json.loads(told["text"]) == [event["info"]]


def test_a_country_that_something_names_is_its_cluster(new_instance: NewInstance, receiver: Receiver) -> None:
    instance = new_instance()
    instance.cli("knowledge", "import", KNOWLEDGE)
    api = instance.start().api()
    for name in ("Plugin.Workflow_enable", ARBITRARY_URLS):
        setting(api, name, True)
    api.ok("/workflows/toggleModule/assign_country/1")
    after_saving(api, receiver, node(0, "assign_country", scope="attribute", hash_path="comment"))
    values = [
        {"type": "ip-src", "value": "192.0.2.1", "comment": "France"},
        {"type": "ip-src", "value": "192.0.2.2"},
    ]
    event = an_event(api, Attribute=values)
    receiver.about(event)
    now = {a["value"]: tags(a) for a in stored(api, event)["Attribute"]}
    assert now == {"192.0.2.1": ['misp-galaxy:country="france"'], "192.0.2.2": []}
