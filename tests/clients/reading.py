"""Takes fields out of answers as clients in typed languages do: the wrong type is an error, no guess."""

from __future__ import annotations

from typing import Any

Record = dict[str, Any]


def text(record: Record, key: str) -> str:
    value = record[key]
    assert isinstance(value, str), f"{key} is {value!r}, not a text"
    return value


def maybe_text(record: Record, key: str) -> str | None:
    """A field that may be absent or null."""
    return None if record.get(key) is None else text(record, key)


def flag(record: Record, key: str) -> bool:
    value = record[key]
    assert isinstance(value, bool), f"{key} is {value!r}, neither true nor false"
    return value


def number(record: Record, key: str) -> int:
    """A number that comes as text."""
    return int(text(record, key))


def records(record: Record, key: str) -> list[Record]:
    value = record[key]
    assert isinstance(value, list), f"{key} is {value!r}, not a list"
    assert all(isinstance(one, dict) for one in value), f"{key} holds more than records"
    return value
