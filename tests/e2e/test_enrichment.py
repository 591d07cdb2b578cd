"""Enrichment: the MISP project's own module server is asked, and what it finds is added."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar
from uuid import uuid4

import pytest
from harness.api import Api
from harness.instance import Instance
from harness.modules import ModuleServer
from harness.people import READ_ONLY, USER, new_member
from harness.workflows import ARBITRARY_URLS, Receiver, a_workflow, node

PREFIX = "Plugin.Enrichment_"
# One of each form of the protocol, and neither needs the network.
SIMPLE, STANDARD = "eql", "extract_url_components"


@pytest.fixture(scope="session")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleServer]:
    with ModuleServer.start(tmp_path_factory.mktemp("modules")) as server:
        yield server


def setting(api: Api, name: str, value: Any) -> None:
    api.ok(f"/servers/serverSettingsEdit/{PREFIX}{name}", {"value": value})


@pytest.fixture
def api(server: Instance, modules: ModuleServer) -> Api:
    """A server that asks the real modules, of which two are enabled for everybody."""
    api = server.api()
    for name, value in {
        "services_enable": True,
        "services_url": "http://127.0.0.1",
        "services_port": modules.port,
        "timeout": 60,
        f"{SIMPLE}_enabled": True,
        f"{STANDARD}_enabled": True,
        f"{SIMPLE}_restrict": "",
    }.items():
        setting(api, name, value)
    return api


def an_event(api: Api, *attributes: tuple[str, str]) -> dict[str, Any]:
    body = {
        "info": f"Enriched {uuid4()}",
        "distribution": 0,
        "Attribute": [{"type": kind, "value": value} for kind, value in attributes],
    }
    return api.ok("/events/add", body)["Event"]


def an_address() -> str:
    return "2001:db8::" + ":".join(f"{uuid4().int & 0xFFF:x}" for _ in range(4))


def a_url() -> str:
    return f"http://www.example.org/{uuid4()}?x=1"


def message(answer: dict[str, Any]) -> str:
    assert answer["saved"] is True
    return str(answer["message"])


def added(number: int) -> str:
    return f"#{number} attributes have been created during the enrichment process."


def test_only_enabled_modules_are_listed_without_their_keys(api: Api) -> None:
    listed = api.view("/modules/index")
    assert sorted(module["name"] for module in listed) == sorted([SIMPLE, STANDARD])
    assert all("config" not in module["meta"] for module in listed)
    assert [module["name"] for module in api.view("/modules/index/hover")] == [STANDARD]


def test_a_question_is_passed_on_and_its_answer_back(api: Api) -> None:
    answer = api.ok("/modules/queryEnrichment", {"module": SIMPLE, "ip-src": "192.0.2.1"})
    assert answer["results"][0]["values"] == 'network where source_address == "192.0.2.1"'
    answer = api.ok("/modules/queryEnrichment", {"module": SIMPLE, "url": "x"})
    assert "error" in answer, "the module's own words"


def test_an_attribute_is_enriched_by_a_simple_module(api: Api) -> None:
    address = an_address()
    event = an_event(api, ("ip-src", address), ("text", "not for it"))
    attribute = event["Attribute"][0]
    asked = {SIMPLE: True, STANDARD: False}
    assert message(api.ok(f"/attributes/enrich/{attribute['id']}", asked)) == added(1)
    after = api.view(f"/events/view/{event['id']}")["Event"]
    found = after["Attribute"][-1]
    assert (found["type"], found["category"]) == ("comment", "External analysis")
    assert address in found["value"]
    assert found["comment"] == f"Event EQL queries\nAttribute #{attribute['id']} enriched by {SIMPLE}."
    assert found["to_ids"] is False
    assert after["attribute_count"] == "3"
    assert after["published"] is False
    assert message(api.ok(f"/attributes/enrich/{attribute['uuid']}", asked)) == added(0), (
        "it is there already"
    )


def test_an_event_is_enriched_with_objects_that_refer_to_what_they_are_about(api: Api) -> None:
    url = a_url()
    event = an_event(api, ("url", url), ("ip-src", an_address()))
    asked = {SIMPLE: True, STANDARD: True}
    assert message(api.ok(f"/events/enrichEvent/{event['id']}", asked)) == added(2)
    after = api.view(f"/events/view/{event['id']}")["Event"]
    (made,) = after["Object"]
    assert made["name"] == "url"
    values = {a["object_relation"]: a["value"] for a in made["Attribute"]}
    assert values["url"] == url
    assert values["host"] == "www.example.org"
    assert made["comment"] == f"{url}: enriched via the {STANDARD} module."
    (reference,) = made["ObjectReference"]
    assert reference["referenced_uuid"] == event["Attribute"][0]["uuid"]
    assert after["attribute_count"] == str(len(after["Attribute"]) + len(made["Attribute"]))
    # Another time: the object's own url is new to the module, everything else is there.
    before = len(api.view(f"/events/view/{event['id']}")["Event"]["Attribute"])
    api.ok(f"/events/enrichEvent/{event['id']}", asked)
    assert len(api.view(f"/events/view/{event['id']}")["Event"]["Attribute"]) == before


def test_asking_alone_adds_nothing(api: Api) -> None:
    event = an_event(api, ("url", a_url()))
    attribute = event["Attribute"][0]["id"]
    answer = api.ok(f"/events/queryEnrichment/{attribute}/{STANDARD}")
    assert answer["results"]["Object"][0]["name"] == "url"
    hover = api.ok(f"/attributes/hoverEnrichment/{attribute}")
    assert list(hover) == [STANDARD]
    assert hover[STANDARD]["Object"][0]["name"] == "url"
    assert api.view(f"/events/view/{event['id']}")["Event"]["attribute_count"] == "1"


def test_a_workflow_tells_and_adds_what_modules_know(api: Api) -> None:
    receiver = Receiver()
    for name in ("Plugin.Workflow_enable", ARBITRARY_URLS):
        api.ok(f"/servers/serverSettingsEdit/{name}", {"value": True})
    for module in ("attach-enrichment", "enrich-event"):
        api.ok(f"/workflows/toggleModule/{module}/1")
    workflow = a_workflow(
        api,
        node(1, "event-after-save-new", 2),
        node(2, "attach-enrichment", 3, modules=[SIMPLE, STANDARD]),
        node(3, "webhook", 4, url=f"{receiver.url}/attached"),
        node(4, "enrich-event", 5, modules=SIMPLE),
        node(5, "webhook", url=f"{receiver.url}/enriched"),
    )
    try:
        address = an_address()
        event = an_event(api, ("ip-src", address), ("text", "not for it"))
        told = receiver.about(event, "/attached")["Event"]["_AttributeFlattened"]
        found = {a["type"]: a.get("enrichment") for a in told}
        assert found["text"] is None
        assert address in json.dumps(found["ip-src"])
        enriched = receiver.about(event, "/enriched")["Event"]["Attribute"]
        assert sorted(a["type"] for a in enriched) == ["comment", "ip-src", "text"]
        assert api.view(f"/events/view/{event['id']}")["Event"]["attribute_count"] == "3"
    finally:
        api.ok(f"/workflows/delete/{workflow['id']}")
        receiver.close()


def test_a_module_kept_for_an_organisation_is_not_there_for_others(api: Api) -> None:
    own, other = new_member(api, USER), new_member(api, USER)
    setting(api, f"{SIMPLE}_restrict", own.organisation_id)
    names = {
        key: sorted(m["name"] for m in who.api.view("/modules/index"))
        for key, who in {"own": own, "other": other}.items()
    }
    assert names == {"own": sorted([SIMPLE, STANDARD]), "other": [STANDARD]}
    refused = other.api.ok("/modules/queryEnrichment", {"module": SIMPLE, "ip-src": "192.0.2.1"})
    assert refused == {"error": "Module not found or not available."}
    event = an_event(other.api, ("ip-src", an_address()))
    answer = other.api.post(f"/events/enrichEvent/{event['id']}", {SIMPLE: True})
    assert answer.status_code == 405
    assert SIMPLE in [m["name"] for m in api.view("/modules/index")], "site admins have them all"


def test_who_may_not_change_an_event_cannot_enrich_it(api: Api) -> None:
    event = an_event(api, ("ip-src", an_address()))
    attribute = event["Attribute"][0]["id"]
    stranger = new_member(api, USER).api
    assert stranger.post(f"/events/enrichEvent/{event['id']}", {SIMPLE: True}).status_code == 404
    assert stranger.post(f"/attributes/enrich/{attribute}", {SIMPLE: True}).status_code == 404
    assert stranger.post(f"/events/queryEnrichment/{attribute}/{SIMPLE}").status_code == 404
    assert stranger.post(f"/attributes/hoverEnrichment/{attribute}").status_code == 404
    api.ok(f"/events/edit/{event['id']}", {"distribution": 3})
    assert stranger.post(f"/events/enrichEvent/{event['id']}", {SIMPLE: True}).status_code == 403
    reader = new_member(api, READ_ONLY).api
    assert reader.post(f"/events/enrichEvent/{event['id']}", {SIMPLE: True}).status_code == 403
    assert api.view(f"/events/view/{event['id']}")["Event"]["attribute_count"] == "1"


def test_settings_are_checked_and_keys_are_not_shown(api: Api) -> None:
    for name, wrong in {
        "services_enable": "perhaps",
        "services_port": "70000",
        "services_url": "http://127.0.0.1/path",
        "timeout": "0",
        "no-such": "1",
        "x_/etc/passwd": "1",
    }.items():
        answer = api.post(f"/servers/serverSettingsEdit/{PREFIX}{name}", {"value": wrong})
        assert answer.status_code in (403, 404), f"{name}: {answer.status_code}"
    setting(api, "shodan_apikey", "a-very-secret-key")
    assert api.get(f"/servers/getSetting/{PREFIX}shodan_apikey").status_code == 403
    settings = api.get("/servers/serverSettings")
    assert "a-very-secret-key" not in settings.text
    shown = {one["setting"]: one["value"] for one in settings.json()["finalSettings"]}
    assert shown[f"{PREFIX}services_enable"] is True
    assert shown[f"{PREFIX}{SIMPLE}_enabled"] == "1"
    assert api.view(f"/servers/getSetting/{PREFIX}timeout")["value"] == 60
    user = new_member(api, USER).api
    assert user.post(f"/servers/serverSettingsEdit/{PREFIX}timeout", {"value": 1}).status_code == 403


def test_without_modules_nothing_is_asked(api: Api) -> None:
    event = an_event(api, ("ip-src", an_address()))
    try:
        setting(api, "services_enable", False)
        assert "error" in api.view("/modules/index")
        answer = api.post(f"/events/enrichEvent/{event['id']}", {SIMPLE: True})
        assert answer.status_code == 405
        assert answer.json()["message"] == "Enrichment services are not enabled."
        setting(api, "services_enable", True)
        setting(api, "services_port", 9)
        answer = api.post(f"/events/enrichEvent/{event['id']}", {SIMPLE: True})
        assert answer.status_code == 405
        assert answer.json()["message"] == "Enrichment service not reachable."
        assert "error" in api.ok("/modules/queryEnrichment", {"module": SIMPLE, "ip-src": "192.0.2.1"})
    finally:
        setting(api, "services_enable", True)
    assert api.view(f"/events/view/{event['id']}")["Event"]["attribute_count"] == "1"


# A module server that does what it should not


class Hostile(http.server.BaseHTTPRequestHandler):
    """Lists one module, and answers as the path of the class says."""

    answer: bytes = b""
    status = 200
    location = ""
    asked: ClassVar[list[dict[str, Any]]] = []

    # Silent while this is not set; `asked` grows under the condition.
    talking = threading.Event()
    heard = threading.Condition()

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        listing = [
            {
                "name": SIMPLE,
                "type": "expansion",
                "mispattributes": {"input": ["ip-src", "malware-sample"], "output": ["text"]},
                "meta": {"module-type": ["expansion", "hover"], "config": ["apikey"]},
            }
        ]
        self.send(200, json.dumps(listing).encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with Hostile.heard:
            Hostile.asked.append(json.loads(body))
            Hostile.heard.notify_all()
        assert Hostile.talking.wait(60)
        self.send(Hostile.status, Hostile.answer)

    def send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        if status == 302:
            self.send_header("Location", Hostile.location)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def hostile(api: Api) -> Iterator[type[Hostile]]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hostile)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Hostile.asked, Hostile.status, Hostile.answer = [], 200, b"{}"
    Hostile.talking.set()
    Hostile.location = f"http://127.0.0.1:{server.server_port}/modules"
    setting(api, "services_port", server.server_port)
    yield Hostile
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (500, b"{}"),
        (302, b""),
        (200, b"not json"),
        (200, b"[" * 100_000),
        (200, b'{"results": 7}'),
        (200, b'{"results": [{"types": [], "values": [[]]}, {"types": ["nonsense"], "values": "x"}]}'),
        (200, b'{"results": {"Attribute": [7, {"type": "ip-src", "value": "no address"}], "Object": [{}]}}'),
    ],
)
def test_a_bad_answer_changes_nothing(api: Api, hostile: type[Hostile], status: int, answer: bytes) -> None:
    hostile.status, hostile.answer = status, answer
    event = an_event(api, ("ip-src", an_address()))
    assert message(api.ok(f"/events/enrichEvent/{event['id']}", {SIMPLE: True})) == added(0)
    assert api.view(f"/events/view/{event['id']}")["Event"] == event
    assert len(hostile.asked) == 1, "a redirect is not followed"


def test_who_waits_for_modules_keeps_nobody_from_long_answers(api: Api, hostile: type[Hostile]) -> None:
    event = an_event(api, ("ip-src", an_address()))
    hostile.talking.clear()
    waiting = 6
    with ThreadPoolExecutor(waiting) as pool:

        def ask() -> Any:
            own = Api(api.url, api.key)
            return own.ok(f"/attributes/enrich/{event['Attribute'][0]['id']}", {SIMPLE: True})

        asking = [pool.submit(ask) for _ in range(waiting)]
        try:
            with hostile.heard:
                assert hostile.heard.wait_for(lambda: len(hostile.asked) == waiting, 60)
            found = api.ok("/events/restSearch", {"eventid": event["id"]})
        finally:
            hostile.talking.set()
        assert [one["Event"]["id"] for one in found["response"]] == [event["id"]]
        assert all(one.result()["saved"] for one in asking)


def test_a_module_gets_its_settings_and_nobody_elses(api: Api, hostile: type[Hostile]) -> None:
    setting(api, f"{SIMPLE}_apikey", "its key")
    event = an_event(api, ("ip-src", an_address()))
    sent = {"module": SIMPLE, "ip-src": "192.0.2.1", "config": {"apikey": "mine", "other": "x"}}
    api.ok("/modules/queryEnrichment", sent)
    api.ok(f"/attributes/enrich/{event['Attribute'][0]['id']}", {SIMPLE: True})
    assert [asked["config"] for asked in hostile.asked] == [{"apikey": "its key"}] * 2
    assert hostile.asked[1]["event_id"] == event["id"]
    assert hostile.asked[1]["attribute_uuid"] == event["Attribute"][0]["uuid"]
    assert hostile.asked[1]["ip-src"] == event["Attribute"][0]["value"]


def test_what_a_module_attaches_is_kept(api: Api, hostile: type[Hostile]) -> None:
    hostile.answer = json.dumps(
        {"results": [{"types": ["attachment"], "values": "report.txt", "data": "cmVwb3J0"}]}
    ).encode()
    event = an_event(api, ("ip-src", an_address()))
    assert message(api.ok(f"/events/enrichEvent/{event['id']}", {SIMPLE: True})) == added(1)
    found = api.view(f"/events/view/{event['id']}")["Event"]["Attribute"][-1]
    assert (found["value"], found["data"]) == ("report.txt", "cmVwb3J0")


def test_a_workflow_keeps_an_attribute_from_being_asked_about(api: Api) -> None:
    nodes = [
        ("enrichment-before-query", {}, ["2"]),
        (
            "generic-if",
            {"hash_path": "Event.Attribute.{n}.type", "operator": "in", "value": "ip-src"},
            ["3"],
        ),
        ("stop-execution", {"message": "No addresses"}, []),
    ]
    graph = {
        str(i): {
            "id": i,
            "data": {"id": module, "indexed_params": params},
            "outputs": {"output_1": {"connections": [{"node": to, "output": "input_1"} for to in leads]}}
            if leads
            else {},
        }
        for i, (module, params, leads) in enumerate(nodes, 1)
    }
    workflow = api.ok("/workflows/add", {"name": "No addresses", "data": graph})["Workflow"]
    api.ok("/servers/serverSettingsEdit/Plugin.Workflow_enable", {"value": True})
    api.ok("/workflows/toggleModule/enrichment-before-query/1/1")
    event = an_event(api, ("ip-src", an_address()), ("url", a_url()))
    address, url = (attribute["id"] for attribute in event["Attribute"])
    refused = api.post(f"/events/queryEnrichment/{address}/{SIMPLE}")
    assert "No addresses" in refused.text
    answer = api.ok(f"/events/queryEnrichment/{url}/{STANDARD}")
    assert answer["results"]["Object"][0]["name"] == "url"
    api.ok(f"/workflows/delete/{workflow['id']}")
    assert "error" not in api.ok(f"/events/queryEnrichment/{address}/{SIMPLE}")
