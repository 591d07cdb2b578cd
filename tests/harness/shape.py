"""The shape of an answer: its wrapping, keys and types, and every value that is the same everywhere.

What belongs to one installation or one moment is a placeholder that names its form: an id is `<number>`, a
time `<epoch>` or `<datetime>`. What is not compared at all is `<any>`.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from typing import Any

# Values that belong to one installation or one moment. Their type and form still have to agree.
OWN_VALUES = {
    "authkey",
    "authkey_end",
    "authkey_raw",
    "authkey_start",
    "created",
    "current_login",
    "date_created",
    "date_modified",
    "last_api_access",
    "last_login",
    "last_pw_change",
    "modified",
    "newsread",
    "nids_sid",
    "publish_timestamp",
}
# Sentences and paths: numbers in them are ids, unless the client sent them.
SENTENCES = {"message", "name", "url"}
# Chosen by the client in the recorded requests: these come back as they were sent.
CHOSEN_UUID = re.compile(r"^([1-8])\1{7}-0000-4000-8000-0{10}[0-9a-f]{2}$")
CHOSEN_TIME = re.compile(r"^1767225\d{3}$")
UUID = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
FORMS = {
    "epoch": re.compile(r"^\d{9,10}$"),
    "number": re.compile(r"^[1-9]\d*$"),
    "datetime": re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$"),
    "uuid": UUID,
    "colour": re.compile(r"^#[0-9a-fA-F]{6}$"),
    "text": re.compile(r"."),
}
PLACEHOLDER = re.compile(r"^<\w+>$")


class Shaper:
    """Makes shapes of the answers of one recording session."""

    def __init__(self, url: str, sent: list[Any]) -> None:
        """`url` is where the recorded installation was, `sent` what the client sent in the session."""
        self.url = url
        self.sent = set(strings(sent))

    def shape(self, value: Any, loose: frozenset[str], key: str = "") -> Any:
        """The shape of a value under this key. `loose` names keys whose values are not compared."""
        if key in loose:
            return "<any>"
        if isinstance(value, dict):
            shape = {name: self.shape(inner, loose, name) for name, inner in value.items()}
            return shape | ({"description": "<text>"} if is_described(value) else {})
        if isinstance(value, list):
            return [self.shape(inner, loose, key) for inner in value]
        if isinstance(value, int) and not isinstance(value, bool) and key in {"timestamp", *OWN_VALUES}:
            return "<integer>"
        return self.text(value, key) if isinstance(value, str) else value

    def asked(self, value: Any) -> Any:
        """What was sent, but for the words of others in it."""
        if isinstance(value, dict):
            sent = {name: self.asked(inner) for name, inner in value.items()}
            return sent | ({"description": "An object"} if is_described(value) else {})
        return [self.asked(inner) for inner in value] if isinstance(value, list) else value

    def text(self, value: str, key: str) -> str:
        if PLACEHOLDER.match(value):
            raise ValueError(f"{key}: {value!r} reads like a placeholder")
        if value in self.sent and (key in {"colour", *SENTENCES} or UUID.match(value)):
            return value
        if self.is_own(key, value):
            form = next((name for name, pattern in FORMS.items() if pattern.match(value)), None)
            return f"<{form}>" if form and value != "0" else value
        value = value.replace(self.url, "{url}")
        return re.sub(r"\d+", "{number}", value) if key in SENTENCES else value

    def is_own(self, key: str, value: str) -> bool:
        """Whether this value may differ between two installations."""
        if key == "id" or (key.endswith("_id") and key != "threat_level_id"):
            return value.isdigit()
        if UUID.match(value):
            return not CHOSEN_UUID.match(value)
        if key in ("timestamp", "date_sighting"):
            return not CHOSEN_TIME.match(value)
        return key == "colour" or key in OWN_VALUES


def is_described(value: dict[str, Any]) -> bool:
    """Whether it is an object with the description of its template, which is the template's author's."""
    return "template_uuid" in value and "description" in value


def strings(value: Any) -> Iterator[str]:
    """Every text in it."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from strings(inner)


def rows(text: str) -> list[dict[str, str]]:
    """A csv answer, as what stands under which heading."""
    return list(csv.DictReader(text.splitlines()))


def differences(shape: Any, actual: Any, url: str, where: str = "$") -> list[str]:
    """Where an answer of the server at `url` is not of this shape, one line each."""
    if shape == "<any>":
        return []
    if isinstance(shape, str) and isinstance(actual, str):
        return [] if is_like(shape, actual, url) else [f"{where}: {shape!r} was recorded, got {actual!r}"]
    if shape == "<integer>" and type(actual) is int:
        return []
    if type(shape) is not type(actual):
        return [f"{where}: {shape!r} was recorded, got {actual!r}"]
    found: list[str] = []
    if isinstance(shape, dict):
        found += [f"{where}.{key}: missing" for key in shape.keys() - actual.keys()]
        found += [f"{where}.{key}: not recorded: {actual[key]!r}" for key in actual.keys() - shape.keys()]
        for key in shape.keys() & actual.keys():
            found += differences(shape[key], actual[key], url, f"{where}.{key}")
    elif isinstance(shape, list):
        if len(shape) != len(actual):
            return [f"{where}: {len(shape)} items were recorded, got {len(actual)}"]
        for number, (left, right) in enumerate(zip(shape, actual, strict=True)):
            found += differences(left, right, url, f"{where}[{number}]")
    elif shape != actual:
        found.append(f"{where}: {shape!r} was recorded, got {actual!r}")
    return found


def is_like(shape: str, actual: str, url: str) -> bool:
    """Whether a text has the form of its placeholder, or is the same but for ids and the address."""
    if PLACEHOLDER.match(shape):
        pattern = FORMS.get(shape.strip("<>"))
        first = next((name for name, form in FORMS.items() if form.match(actual)), None)
        return pattern is FORMS["text"] or (pattern is not None and f"<{first}>" == shape)
    wanted = re.escape(shape.replace("{url}", url)).replace(re.escape("{number}"), r"\d+")
    return re.fullmatch(wanted, actual) is not None
