"""Answers as a MISP 2.5 gives them: recorded requests sent again, in the state they were recorded in.

What is compared are the shapes of the recorded answers (tests/e2e/shapes). The recordings are not part of
this repository: where they are found, in MISP_ANSWERS or by default `../shared/reference/misp-answers`, the
shapes have to be what tools/answer-shapes makes of them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
from conftest import NewInstance
from harness.api import Api
from harness.instance import KNOWLEDGE, REPOSITORY, Instance
from harness.shape import Shaper, differences, rows
from harness.story import LATER, SHAPES, STORY, Recorded, Unrecorded, shapes

ANSWERS = Path(os.environ.get("MISP_ANSWERS", REPOSITORY.parent / "shared/reference/misp-answers"))
REPLAYED = [step for step in STORY if isinstance(step, Recorded)]


def shape_of(number: int) -> dict[str, Any]:
    (file,) = SHAPES.glob(f"{number:03}-*.json")
    return json.loads(file.read_text())


@dataclass
class Teller:
    """Sends the steps of the story and keeps what they need of each other."""

    server: Instance
    names: dict[str, str]
    user_key: str = ""
    answers: dict[int, requests.Response] = field(default_factory=dict)

    def tell(self, step: Recorded | Unrecorded) -> None:
        if isinstance(step, Unrecorded):
            answer = self.send(self.who(step.auth), step.method, step.path, self.written(step.body))
            assert answer.status_code in (200, 302), f"{step.path}: {answer.status_code} {answer.text}"
        else:
            asked = shape_of(step.number)["asked"]
            body = asked["raw_body"].encode() if "raw_body" in asked else self.written(asked.get("body"))
            answer = self.send(self.who(asked["auth"]), asked["method"], asked["path"], body)
            self.answers[step.number] = answer
        self.remember(answer)

    def who(self, auth: str) -> Api:
        return self.server.api({"bad": "b" * 40, "user": self.user_key}.get(auth, self.server.api().key))

    def send(self, api: Api, method: str, path: str, body: bytes | None) -> requests.Response:
        return api.raw(method, self.named(path), body)

    def written(self, body: Any) -> bytes | None:
        return None if body is None else self.named(json.dumps(body)).encode()

    def named(self, text: str) -> str:
        for name, value in self.names.items():
            text = text.replace("{" + name + "}", value)
        return text

    def remember(self, answer: requests.Response) -> None:
        """Notes the ids that later paths need, by what the recorded requests chose: uuids and names."""
        if answer.status_code != 200 or "json" not in answer.headers.get("Content-Type", ""):
            return
        said = answer.json()
        if not isinstance(said, dict) or "EventReport" in said:
            return
        if "Event" in said and "id" in said["Event"]:
            self.names[f"event{int(said['Event']['uuid'][-2:])}"] = said["Event"]["id"]
        if "User" in said and "authkey" in said["User"]:
            self.user_key, self.names["user"] = said["User"]["authkey"], said["User"]["id"]
        if "SharingGroup" in said:
            self.names["group"] = said["SharingGroup"]["id"]
        elif "Organisation" in said and said["Organisation"]["name"] == "Golden Org":
            self.names["org"] = said["Organisation"]["id"]
        if "Tag" in said and isinstance(said["Tag"], dict) and said["Tag"]["name"] == "golden:manual":
            self.names["manual"] = said["Tag"]["id"]
        if "ShadowAttribute" in said:
            kind = "proposal" if said["ShadowAttribute"]["old_id"] == "0" else "change"
            self.names[kind] = said["ShadowAttribute"]["id"]
        if "Attribute" in said and isinstance(said["Attribute"], dict):
            self.names["md5"] = self.names.get("md5", said["Attribute"]["id"])


@pytest.fixture(scope="module")
def told(new_instance: NewInstance) -> Iterator[Teller]:
    """The whole story, told once; each test below looks at one answer of it."""
    instance = new_instance()
    templates = sorted(KNOWLEDGE.glob("pymisp-*.whl"))
    if templates:
        instance.cli("knowledge", "import", *templates)
    teller = Teller(instance.start(), {})
    for step in STORY:
        teller.tell(step)
    yield teller
    instance.stop()


@pytest.mark.parametrize("step", REPLAYED, ids=lambda step: f"{step.number:03}")
def test_an_answer_is_what_misp_answered(told: Teller, step: Recorded) -> None:
    recorded, answer = shape_of(step.number), told.answers[step.number]
    assert answer.status_code == recorded["status"], answer.text[:2000]

    url, found = told.server.url, []
    for name, value in recorded["headers"].items():
        wanted = told.named(value).replace("{url}", url)
        if answer.headers.get(name) != wanted:
            found.append(f"{name}: {wanted!r} was recorded, got {answer.headers.get(name)!r}")
    is_csv = answer.headers["Content-Type"].startswith("text/csv")
    found += differences(recorded["answer"], rows(answer.text) if is_csv else answer.json(), url)
    assert not found, "\n".join(found)


def test_a_shape_leaves_ids_and_times_open_and_nothing_else() -> None:
    here, there = "http://127.0.0.1:1", "http://127.0.0.1:2"
    said = {
        "id": "12",
        "message": "Tag 3 is on Event 12.",
        "saved": True,
        "url": f"{here}/events/12",
        "to": "1",
    }
    shape = Shaper(here, []).shape(said | {"created": "1767225600", "tags": ["a"]}, frozenset())
    like = said | {"id": "7", "message": "Tag 1 is on Event 7.", "url": f"{there}/events/7"}
    like |= {"created": "1800000000", "tags": ["a"]}
    assert differences(shape, like, there) == []

    unlike: list[dict[str, Any]] = [
        {"id": 7},
        {"id": "0"},
        {"message": "Tag 1 is on event 7."},
        {"saved": 1},
        {"url": f"{here}/events/7"},
        {"to": "2"},
        {"created": "7"},
        {"created": None},
        {"tags": []},
        {"tags": {}},
        {"more": "1"},
    ]
    for change in unlike:
        assert len(differences(shape, like | change, there)) == 1, change
    del like["to"]
    assert differences(shape, like, there) == ["$.to: missing"]


def test_every_shape_belongs_to_a_step_of_the_story() -> None:
    there = sorted(int(file.name[:3]) for file in SHAPES.glob("*.json"))
    assert there == sorted(step.number for step in REPLAYED)


@pytest.mark.skipif(not ANSWERS.is_dir(), reason=f"no recorded answers in {ANSWERS}")
def test_the_shapes_are_those_of_the_recorded_answers() -> None:
    there = {file.stem: json.loads(file.read_text()) for file in SHAPES.glob("*.json")}
    assert there == shapes(ANSWERS)


@pytest.mark.skipif(not ANSWERS.is_dir(), reason=f"no recorded answers in {ANSWERS}")
def test_every_recorded_answer_is_replayed_or_waits_for_its_issue() -> None:
    there = {int(file.name[:3]) for file in ANSWERS.glob("*.json")}
    replayed = {step.number for step in REPLAYED}
    assert there == replayed | LATER.keys()
    assert not replayed & LATER.keys()
