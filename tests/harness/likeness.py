"""How like a recorded answer an answer is: keys, types, wrapping, and every value that can be the same."""

from __future__ import annotations

import re
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
# Chosen by the client in the recorded requests: these come back as they were sent.
CHOSEN_UUID = re.compile(r"^([1-8])\1{7}-0000-4000-8000-0{10}[0-9a-f]{2}$")
CHOSEN_TIME = re.compile(r"^1767225\d{3}$")
UUID = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
FORMS = {
    "epoch": re.compile(r"^\d{9,10}$"),
    "zero": re.compile(r"^0$"),
    "number": re.compile(r"^\d+$"),
    "datetime": re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$"),
    "uuid": UUID,
    "colour": re.compile(r"^#[0-9a-fA-F]{6}$"),
}


def form(text: str) -> str:
    """What kind of text this is; anything unknown is just text."""
    return next((name for name, pattern in FORMS.items() if pattern.match(text)), "text")


def is_own(key: str, expected: str) -> bool:
    """Whether this value may differ between two installations."""
    if key == "id" or key.endswith("_id"):
        return expected.isdigit()
    if key == "colour":
        return expected not in ("#339900", "#112233", "#ffffff")
    if UUID.match(expected):
        return not CHOSEN_UUID.match(expected)
    if key == "timestamp" or key == "date_sighting":
        return not CHOSEN_TIME.match(expected)
    return key in OWN_VALUES


def plain(text: str) -> str:
    """Numbers in sentences and paths are ids of the recording installation."""
    return re.sub(r"\d+", "#", text)


def differences(
    expected: Any, actual: Any, where: str = "$", loose: frozenset[str] = frozenset()
) -> list[str]:
    """What a client could notice, one line each. `loose` names keys whose values are not compared."""
    if where.rsplit(".", 1)[-1] in loose:
        return []
    if type(expected) is not type(actual):
        return [f"{where}: {expected!r} was recorded, got {actual!r}"]
    found: list[str] = []
    if isinstance(expected, dict):
        found += [f"{where}.{key}: missing" for key in expected.keys() - actual.keys()]
        found += [
            f"{where}.{key}: not in the recording: {actual[key]!r}" for key in actual.keys() - expected.keys()
        ]
        for key in expected:
            if key in actual:
                found += differences(expected[key], actual[key], f"{where}.{key}", loose)
    elif isinstance(expected, list):
        if len(expected) != len(actual):
            return [f"{where}: {len(expected)} items were recorded, got {len(actual)}"]
        for number, (left, right) in enumerate(zip(expected, actual, strict=True)):
            found += differences(left, right, f"{where}[{number}]", loose)
    elif expected != actual:
        found += _scalars(expected, actual, where, loose)
    return found


def _scalars(expected: Any, actual: Any, where: str, loose: frozenset[str]) -> list[str]:
    key = where.rsplit(".", 1)[-1].split("[")[0]
    if key in loose or (isinstance(expected, int) and key in {"timestamp", *OWN_VALUES}):
        return []
    if isinstance(expected, str):
        if key in ("url", "message", "name") and plain(expected) == plain(actual):
            return []
        if is_own(key, expected) and form(expected) == form(actual):
            return []
    return [f"{where}: {expected!r} was recorded, got {actual!r}"]
