"""Scheduled jobs: a line of curl or wget that writes a list or a rule file for another machine.

- weslambert/securityonion-misp, so-misp-download: wget of `events/nids/ENGINE/download` and
  `attributes/bro/download/all`.
- drmcrooks/pocketsoc-ng-2025, components/zeek/bin/pull_misp.sh: curl posting `{"request": {"type": "all"}}`.
- MISP's own automation page: `attributes/restSearch/returnFormat:text/type:TYPE.json` and the path
  parameters with `||`; its older `attributes/text/download/TYPE`.
- Lists for firewalls and network access control (pfSense and OPNsense aliases, PacketFence): a plain list
  by GET, the key in `Authorization`, nothing else said.

Such a job has no Accept header worth the name, never looks at the type of the answer, and writes what it
gets into the file: an error must not be answered with 200, as the file would be loaded.
"""

from __future__ import annotations

from .http import JSON, Connection

CURL = {"Accept": "*/*", "User-Agent": "curl/8.5.0"}
WGET = {"Accept": "*/*", "User-Agent": "Wget/1.21", "Accept-Encoding": "identity"}


class Job:
    def __init__(self, url: str, key: str | None, headers: dict[str, str] = CURL) -> None:
        self.connection = Connection(url, key, {**headers})

    def file(self, path: str) -> str:
        answer = self.connection.get(path)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text}"
        return answer.text

    def lines(self, path: str) -> list[str]:
        return self.file(path).splitlines()

    def posted(self, path: str, body: object) -> str:
        answer = self.connection.post(path, body, headers={"Accept": JSON})
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text}"
        return answer.text


def zeek_intel(file: str) -> dict[str, dict[str, str]]:
    """A file for Zeek's Intel framework, by indicator: tab-separated, the columns named in the first line."""
    first, *lines = file.rstrip("\n").split("\n")
    assert first.startswith("#fields\t"), first
    columns = first.split("\t")[1:]
    assert columns[:2] == ["indicator", "indicator_type"]
    found = {}
    for line in lines:
        cells = line.split("\t")
        assert len(cells) == len(columns), line
        found[cells[0]] = dict(zip(columns, cells, strict=True))
    return found


def rules(file: str) -> list[str]:
    """The rules of a rule file without its remarks; each has to have a number of its own."""
    found = [line for line in file.splitlines() if line.strip() and not line.startswith("#")]
    numbers = [line.split("sid:", 1)[1].split(";", 1)[0] for line in found]
    assert len(set(numbers)) == len(numbers)
    return found
