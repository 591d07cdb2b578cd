"""Lists and scores: decaying models, noticelists, warninglists of one's own, correlation exclusions."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import pytest
from harness.api import Api
from harness.events import a_word
from harness.instance import Instance
from harness.people import USER, Member, new_member

DAY = 86_400


@pytest.fixture(scope="module")
def api(server: Instance) -> Api:
    return server.api()


@pytest.fixture(scope="module")
def member(api: Api) -> Member:
    return new_member(api, USER)


def an_event(api: Api, *attributes: dict[str, Any], **more: Any) -> dict[str, Any]:
    body = {"info": f"Scored {uuid4()}", "distribution": 3, "Attribute": list(attributes), **more}
    return api.ok("/events/add", body)["Event"]


def an_address() -> str:
    number = uuid4().int
    return f"2001:db8:{number & 0xFFFF:x}:{number >> 16 & 0xFFFF:x}::{number >> 32 & 0xFFFF:x}"


def search(api: Api, **filters: Any) -> tuple[list[dict[str, Any]], Mapping[str, str]]:
    answer = api.post("/attributes/restSearch", {"returnFormat": "json", **filters})
    assert answer.status_code == 200, answer.text
    return answer.json()["response"]["Attribute"], answer.headers


# ---- Decaying models ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def model(api: Api) -> dict[str, Any]:
    """A model that halves a score of 100 after four days: 100 * (1 - t/8)."""
    parameters = {"lifetime": 8, "decay_speed": 1, "threshold": 30, "default_base_score": 100}
    config = {"base_score_config": {"priority": 1.0}}
    body = {"name": f"Linear {uuid4()}", "description": "d", "parameters": parameters | config}
    made = api.ok("/decayingModel/add", body | {"attribute_types": ["ip-dst", "domain"]})
    found = made["data"]["DecayingModel"]
    assert made["action"] == "add"
    assert found["formula"] == "Polynomial"
    assert found["parameters"]["lifetime"] == 8
    enabled = api.ok(f"/decayingModel/enable/{found['id']}")
    assert enabled["success"] is True
    assert enabled["DecayingModel"]["enabled"] is True
    return found


@pytest.fixture(scope="module")
def aged(api: Api, model: dict[str, Any]) -> dict[str, Any]:
    """An attribute of now, one four days and one seven days old; and one of a type nobody scores."""
    now = int(time.time())
    ages = {"fresh": 0, "half": 4, "gone": 7}
    attributes = [
        {"type": "ip-dst", "value": an_address(), "comment": name, "timestamp": now - days * DAY}
        for name, days in ages.items()
    ]
    unscored = {"type": "text", "value": a_word(), "comment": "unscored"}
    return an_event(api, *attributes, unscored)


def scores(rows: list[dict[str, Any]], model: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """By comment: what this model says."""
    return {
        row["comment"]: said
        for row in rows
        for said in row.get("decay_score", [])
        if said["DecayingModel"]["id"] == model["id"]
    }


def test_scores_fall_with_age(api: Api, model: dict[str, Any], aged: dict[str, Any]) -> None:
    rows, _ = search(api, eventid=aged["id"], includeDecayScore=1)
    said = scores(rows, model)
    expected = {"fresh": 100.0, "half": 50.0, "gone": 12.5}
    assert {name: one["score"] for name, one in said.items()} == pytest.approx(expected, abs=0.5)
    assert {name: one["decayed"] for name, one in said.items()} == {
        "fresh": False,
        "half": False,
        "gone": True,
    }
    assert said["half"]["base_score"] == 100
    assert said["half"]["DecayingModel"] == {"id": model["id"], "name": model["name"]}
    plain, _ = search(api, eventid=aged["id"])
    assert not any("decay_score" in row for row in plain)


def test_a_search_can_leave_out_what_decayed(api: Api, model: dict[str, Any], aged: dict[str, Any]) -> None:
    rows, headers = search(api, eventid=aged["id"], excludeDecayed=1)
    assert [row["comment"] for row in rows] == ["fresh", "half", "unscored"]
    assert (headers["X-Result-Count"], headers["X-Skipped-Elements-Count"]) == ("4", "1")
    rows, headers = search(api, eventid=aged["id"], excludeDecayed=1, limit=2, page=2)
    assert [row["comment"] for row in rows] == ["unscored"], "pages are cut before anything is left out"
    assert headers["X-Skipped-Elements-Count"] == "1"


def test_a_search_can_have_a_threshold_and_numbers_of_its_own(
    api: Api, model: dict[str, Any], aged: dict[str, Any]
) -> None:
    chosen = {"eventid": aged["id"], "includeDecayScore": 1, "decayingModel": [model["id"]]}
    rows, _ = search(api, **chosen, score=60)
    assert [name for name, one in scores(rows, model).items() if one["decayed"]] == ["half", "gone"]
    rows, _ = search(api, **chosen, modelOverrides={"lifetime": 16}, includeFullModel=1)
    said = scores(rows, model)
    assert said["half"]["score"] == pytest.approx(75, abs=0.5)
    assert said["half"]["DecayingModel"]["parameters"]["lifetime"] == 16
    assert "unscored" in said, "who names a model scores every type with it"


def test_tags_and_sightings_count(api: Api, model: dict[str, Any]) -> None:
    tag = {"name": f"priority:p{uuid4().hex[:8]}", "colour": "#ff0000", "numerical_value": 40}
    api.ok("/tags/add", tag)
    old = int(time.time()) - 4 * DAY
    event = an_event(
        api,
        {"type": "ip-dst", "value": an_address(), "comment": "tagged", "Tag": [tag], "timestamp": old},
        {"type": "ip-dst", "value": an_address(), "comment": "seen", "timestamp": old},
    )
    seen = next(a["id"] for a in event["Attribute"] if a["comment"] == "seen")
    api.ok(f"/sightings/add/{seen}")
    rows, _ = search(api, eventid=event["id"], includeDecayScore=1)
    said = scores(rows, model)
    assert (said["tagged"]["base_score"], said["tagged"]["score"]) == (40, pytest.approx(20, abs=0.5))
    assert said["seen"]["score"] == pytest.approx(100, abs=0.5), "the sighting made it young again"


def test_scores_stand_in_events_and_in_csv(api: Api, model: dict[str, Any], aged: dict[str, Any]) -> None:
    event = api.view(f"/events/view/{aged['id']}/includeDecayScore:1/includeScoresOnEvent:1")["Event"]
    assert scores(event["Attribute"], model)["half"]["score"] == pytest.approx(50, abs=0.5)
    assert any(one["DecayingModel"]["id"] == model["id"] for one in event["event_scores"])
    body = {"returnFormat": "csv", "eventid": aged["id"], "includeDecayScore": 1}
    lines = list(csv.DictReader(io.StringIO(api.post("/attributes/restSearch", body).text)))
    decayed = {line["comment"]: line["decay_score_decayed"] for line in lines if line["uuid"]}
    assert decayed == {"fresh": "0", "half": "0", "gone": "1", "unscored": "0"}


def test_a_simulation_tells_the_curve(api: Api, model: dict[str, Any], aged: dict[str, Any]) -> None:
    half = next(a for a in aged["Attribute"] if a["comment"] == "half")
    path = f"/decayingModel/decayingToolComputeSimulation/{model['id']}/{half['id']}"
    said = api.view(path)
    lines = said["csv"].splitlines()
    assert lines[0] == "date,value"
    assert len(lines) == 1 + 8 * 24
    assert said["current_score"] == pytest.approx(50, abs=0.5)
    assert said["base_score_config"]["base_score"] == 100
    assert said["Model"]["id"] == model["id"]
    longer = api.view(path + '/modelOverride:{"lifetime":30000}')
    assert len(longer["csv"].splitlines()) < 25_000, "a long life is told in longer steps"


def test_models_travel_and_are_their_makers(api: Api, member: Member, model: dict[str, Any]) -> None:
    exported = api.view(f"/decayingModel/export/{model['id']}")["DecayingModel"]
    assert "id" not in exported
    copied = member.api.ok("/decayingModel/import", exported | {"all_orgs": 0, "name": "Copied"})
    copy = copied["data"]["DecayingModel"]
    assert (copy["parameters"], copy["org_id"]) == (exported["parameters"], member.organisation_id)
    stranger = new_member(api)
    assert stranger.api.get(f"/decayingModel/view/{copy['id']}").status_code == 404
    assert stranger.api.post(f"/decayingModel/enable/{copy['id']}").status_code == 404
    assert member.api.post(f"/decayingModel/disable/{model['id']}").status_code == 403
    linked = member.api.ok(
        f"/decayingModelMapping/linkAttributeTypeToModel/{copy['id']}", {"attributetypes": '["md5"]'}
    )
    assert linked == ["md5"]
    assert member.api.ok(f"/decayingModel/delete/{copy['id']}")["success"] is True
    wrong = api.post("/decayingModel/add", {"name": "x", "parameters": {"lifetime": "soon"}})
    assert wrong.status_code == 403
    assert "lifetime" in wrong.json()["errors"]


# ---- Noticelists ------------------------------------------------------------------------------------------


def test_noticelists_are_there_and_switched_by_the_site_admin(api: Api, member: Member) -> None:
    lists = {one["Noticelist"]["name"]: one["Noticelist"] for one in api.view("/noticelists/index")}
    gdpr = lists["gdpr"]
    assert gdpr["enabled"] is False
    viewed = api.view(f"/noticelists/view/{gdpr['id']}")["Noticelist"]
    entry = viewed["NoticelistEntry"][0]["data"]
    assert {"scope", "field", "value", "message"} <= entry.keys()
    assert member.api.post(f"/noticelists/toggleEnable/{gdpr['id']}").status_code == 403
    assert api.ok(f"/noticelists/toggleEnable/{gdpr['id']}")["message"] == "Noticelist enabled."
    assert api.view(f"/noticelists/view/{gdpr['id']}")["Noticelist"]["enabled"] is True
    off = api.ok(f"/noticelists/enableNoticelist/{gdpr['id']}")
    assert off["Noticelist"]["enabled"] is False
    assert api.get("/noticelists/view/4711").status_code == 404


# ---- Warninglists -----------------------------------------------------------------------------------------


def a_list(api: Api, kind: str, entries: Any, **more: Any) -> dict[str, Any]:
    body = {"name": f"List {uuid4()}", "type": kind, "description": "ours", "entries": entries}
    return api.ok("/warninglists/add", body | {"enabled": True} | more)["Warninglist"]


def test_a_list_of_ones_own_comes_back_as_it_went_in(api: Api) -> None:
    word = a_word()
    made = a_list(api, "string", f"{word} # our own\n{word}2", matching_attributes=["text"])
    assert (made["default"], made["warninglist_entry_count"], made["category"]) == (
        False,
        "2",
        "false_positive",
    )
    entries = [(e["value"], e["comment"]) for e in made["WarninglistEntry"]]
    assert entries == [(word, "our own"), (f"{word}2", None)]
    assert [t["type"] for t in made["WarninglistType"]] == ["text"]
    assert api.ok("/warninglists/checkValue", [word])[word][0]["name"] == made["name"]

    edited = api.ok(f"/warninglists/edit/{made['id']}", {"entries": [{"value": word + "3", "comment": "c"}]})
    assert edited["Warninglist"]["version"] == "2"
    assert api.ok("/warninglists/checkValue", [word]) == []
    exported = api.view(f"/warninglists/export/{made['id']}")
    assert exported["list"] == [word + "3"]
    exported["list"].append(word)
    assert api.ok("/warninglists/import", exported)["id"] == made["id"]
    assert api.ok("/warninglists/checkValue", [word])
    assert api.ok(f"/warninglists/enableWarninglist/{made['id']}")["Warninglist"]["enabled"] is False
    assert api.ok("/warninglists/checkValue", [word]) == []
    assert api.ok(f"/warninglists/delete/{made['id']}")["success"] is True
    assert api.get(f"/warninglists/view/{made['id']}").status_code == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"type": "guess"}, "type"),
        ({"entries": ["not an address"]}, "entries"),
        ({"entries": []}, "entries"),
        ({"description": ""}, "description"),
        ({"name": ""}, "name"),
    ],
)
def test_a_list_that_would_find_nothing_is_refused(api: Api, change: dict[str, Any], field: str) -> None:
    body = {"name": f"List {uuid4()}", "type": "cidr", "description": "d", "entries": ["192.0.2.0/24"]}
    answer = api.post("/warninglists/add", body | change)
    assert answer.status_code == 403
    assert field in answer.json()["errors"]
    assert api.post("/warninglists/import", {"name": "x"}).status_code == 400


def test_what_a_list_has_is_warned_of_and_left_out_where_asked(api: Api) -> None:
    net = an_address().rsplit("::", 1)[0] + "::"
    made = a_list(api, "cidr", [f"{net}/64"])
    event = an_event(
        api,
        {"type": "ip-dst", "value": f"{net}1", "comment": "inside"},
        {"type": "ip-dst", "value": f"{net}/96", "comment": "a network inside"},
        {"type": "ip-dst|port", "value": f"{net}2|443", "comment": "half"},
        {"type": "url", "value": f"http://[{net}3]:8080/x", "comment": "host"},
        {"type": "ip-dst", "value": an_address(), "comment": "outside"},
    )
    rows, headers = search(api, eventid=event["id"], enforceWarninglist=1)
    assert [row["comment"] for row in rows] == ["outside"]
    assert (headers["X-Result-Count"], headers["X-Skipped-Elements-Count"]) == ("5", "4")
    rows, headers = search(api, eventid=event["id"], enforceWarninglist=1, limit=2)
    assert (rows, headers["X-Skipped-Elements-Count"]) == ([], "2")

    rows, _ = search(api, eventid=event["id"], includeWarninglistHits=1)
    warned = {row["comment"]: row["warnings"][0] for row in rows if "warnings" in row}
    assert set(warned) == {"inside", "a network inside", "half", "host"}
    assert warned["half"]["value"] == f"{net}2"
    assert warned["half"]["warninglist_name"] == made["name"]
    viewed = api.view(f"/events/view/{event['id']}")["Event"]["Attribute"]
    assert [a["comment"] for a in viewed if "warnings" not in a] == ["outside"]
    text = api.post(
        "/attributes/restSearch", {"returnFormat": "csv", "eventid": event["id"], "enforceWarninglist": 1}
    )
    assert text.headers["X-Skipped-Elements-Count"] == "4"
    assert api.ok(f"/warninglists/delete/{made['id']}")["success"] is True


# ---- Correlations -----------------------------------------------------------------------------------------


def related(api: Api, event: dict[str, Any]) -> list[str]:
    viewed = api.view(f"/events/view/{event['id']}")["Event"]
    return [one["Event"]["uuid"] for one in viewed["RelatedEvent"]]


@pytest.mark.parametrize("pattern", ["{}", "%{}", "{}%", "%{}%"])
def test_what_is_excluded_correlates_no_more_until_it_is_let(api: Api, pattern: str) -> None:
    word = a_word()
    one = an_event(api, {"type": "text", "value": word})
    two = an_event(api, {"type": "text", "value": word.upper()})
    assert related(api, one) == [two["uuid"]]
    body = {"value": pattern.format(word), "comment": "noise"}
    made = api.ok("/correlation_exclusions/add", body)["CorrelationExclusion"]
    assert related(api, one) == []
    marked = api.view(f"/events/view/{one['id']}/includeGranularCorrelations:1")["Event"]["Attribute"][0]
    assert marked["correlation_exclusion"] is True
    rows, _ = search(api, eventid=one["id"], includeCorrelations=1)
    assert "RelatedAttribute" not in rows[0]
    listed = {x["CorrelationExclusion"]["value"] for x in api.view("/correlation_exclusions")}
    assert made["value"] in listed
    assert api.ok("/correlation_exclusions/clean")["success"] is True
    edited = api.ok(f"/correlation_exclusions/edit/{made['id']}", {"comment": "less noise"})
    assert edited["CorrelationExclusion"]["comment"] == "less noise"
    assert api.ok(f"/correlation_exclusions/delete/{made['id']}")["success"] is True
    assert related(api, one) == [two["uuid"]]


def test_exclusions_are_for_site_admins_and_never_of_everything(api: Api, member: Member) -> None:
    assert api.post("/correlation_exclusions/add", {"value": "%%"}).status_code == 403
    word = a_word()
    api.ok("/correlation_exclusions/add", {"value": word})
    again = api.post("/correlation_exclusions/add", {"value": word.upper()})
    assert again.status_code == 403
    assert "already" in again.json()["errors"]["value"][0]
    for path in ("/correlation_exclusions", "/correlations/top", "/correlations/overCorrelations"):
        assert member.api.get(path).status_code == 403
    assert member.api.post("/correlation_exclusions/add", {"value": "x"}).status_code == 403


def test_the_most_frequent_values_are_listed_with_true_counts(api: Api) -> None:
    word = a_word()
    for _ in range(2):
        an_event(api, *({"type": kind, "value": word} for kind in ("text", "other", "filename")))
    top = api.view("/correlations/top/limit:10000")
    assert {"value": word, "count": 6, "excluded": False} in [one["Correlation"] for one in top]
    api.ok("/servers/serverSettingsEdit/MISP.correlation_limit", {"value": 6})
    over = [one["OverCorrelatingValue"] for one in api.view("/correlations/overCorrelations")]
    assert word in [one["value"] for one in over]
    api.ok("/servers/serverSettingsEdit/MISP.correlation_limit", {"value": 7})
    over = [one["OverCorrelatingValue"] for one in api.view("/correlations/overCorrelations")]
    assert word not in [one["value"] for one in over]
    assert api.ok("/attributes/generateCorrelation")["success"] is True
