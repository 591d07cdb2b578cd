"""The OpenAPI document: well-formed, complete, and true of what is answered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from conftest import NewInstance
from harness.api import Api
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012


@pytest.fixture(scope="module")
def api(new_instance: NewInstance) -> Iterator[Api]:
    instance = new_instance()
    instance.start()
    yield instance.api()
    instance.stop()


@pytest.fixture(scope="module")
def document(api: Api) -> dict[str, Any]:
    return api.view("/api/openapi.json")


def test_the_document_is_openapi(document: dict[str, Any]) -> None:
    validate(document)
    assert document["openapi"].startswith("3.1")
    assert len(document["paths"]) > 300


def test_every_route_that_a_role_may_call_is_described(api: Api, document: dict[str, Any]) -> None:
    urls = {url for role in api.view("/servers/queryACL/printRoleAccess") for url in role["urls"]}
    described = {said["x-queryacl"] for methods in document["paths"].values() for said in methods.values()}
    assert described == urls


def test_answers_have_the_shape_that_the_document_says(api: Api, document: dict[str, Any]) -> None:
    event = api.ok(
        "/events/add",
        {
            "info": f"Described {uuid4()}",
            "Attribute": [{"type": "ip-src", "value": "198.51.100.7", "Tag": [{"name": "tlp:amber"}]}],
            "Object": [
                {
                    "name": "domain-ip",
                    "Attribute": [{"object_relation": "domain", "type": "domain", "value": "a.example"}],
                }
            ],
            "Tag": [{"name": "tlp:green"}],
        },
    )["Event"]
    attribute = event["Attribute"][0]["id"]
    api.ok("/sightings/add", {"id": attribute})
    report = api.ok(f"/eventReports/add/{event['id']}", {"name": "A report", "content": "text"})
    proposal = api.ok(f"/shadow_attributes/add/{event['id']}", {"type": "text", "value": "proposed"})
    known = {
        "event": event["id"],
        "attribute": attribute,
        "object": event["Object"][0]["id"],
        "report": report["EventReport"]["id"],
        "proposal": proposal["ShadowAttribute"]["id"],
        "user": "me",
        "organisation": "1",
        "role": "1",
        "tag": event["Tag"][0]["id"],
        "key": "1",
    }
    registry = Registry().with_resource(
        "urn:document", Resource.from_contents(document, default_specification=DRAFT202012)
    )
    looked, wrong = 0, []
    for path, methods in document["paths"].items():
        arguments = re.findall(r"\{(\w+)\}", path)
        content = methods.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
        if "application/json" not in content or not set(arguments) <= known.keys():
            continue
        answer = api.get(re.sub(r"\{(\w+)\}", lambda found: known[found[1]], path))
        if answer.status_code != 200 or "json" not in answer.headers.get("Content-Type", ""):
            continue
        name = content["application/json"]["schema"]["$ref"]
        schema = {"$ref": f"urn:document{name}"}
        errors = Draft202012Validator(schema, registry=registry).iter_errors(answer.json())
        wrong += [f"{path}: {name}: {error.json_path}: {error.message[:200]}" for error in errors]
        looked += 1
    assert not wrong, "\n".join(wrong)
    assert looked > 60
