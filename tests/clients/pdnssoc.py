"""CERN's pDNSSOC as published: what resolvers answered, held against a MISP (PyPI, tests/programs.in)."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from harness.instance import ADMIN_KEY, PROGRAMS

TIMEOUT = 60


class PdnsSoc:
    """One installation: its settings, its lists and what it found, in a folder."""

    def __init__(self, folder: Path, url: str, tag: str) -> None:
        """What has the tag counts however old it is, anything else for three days."""
        self.folder = folder
        names = {name: str(folder / name) for name in ("domains.txt", "ips.txt", "last", "found")}
        (folder / "found").mkdir()
        server = {
            "domain": url,
            "api_key": ADMIN_KEY,
            "verify_ssl": False,
            "debug": False,
            "args": {"enforce_warninglist": True},
            "periods": {"generic": {"delta": {"days": 3}}, "tags": [{"names": [tag], "delta": None}]},
        }
        correlation = {
            "malicious_domains_file": names["domains.txt"],
            "malicious_ips_file": names["ips.txt"],
            "last_correlation_pointer_file": names["last"],
            "output_dir": names["found"],
        }
        settings = {"logging_level": "INFO", "misp_servers": [server], "correlation": correlation}
        (folder / "settings.yml").write_text(json.dumps(settings))

    def run(self, *words: str) -> None:
        command = [PROGRAMS / "bin/pdnssoc-cli", "--config", self.folder / "settings.yml", *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
        assert done.returncode == 0, done.stderr

    def fetch(self) -> tuple[set[str], set[str]]:
        """The domains and the addresses that it looks for from now on."""
        self.run("fetch-iocs")
        lists = [(self.folder / name).read_text().split() for name in ("domains.txt", "ips.txt")]
        return set(lists[0]), set(lists[1])

    def correlate(self, *queries: dict[str, Any]) -> list[dict[str, Any]]:
        """What it finds in these answers of a resolver."""
        log = self.folder / "dns.json"
        log.write_text("".join(json.dumps(query) + "\n" for query in queries))
        self.run("correlate", "--start-date", "2025-01-01T00:00:00", str(log))
        return [json.loads(line) for line in (self.folder / "found/matches.json").read_text().splitlines()]


def resolved(name: str, address: str) -> dict[str, Any]:
    """A resolver's answer, as dnstap's JSON has it."""
    return {
        "dnstap": {"timestamp-rfc3339ns": "2025-06-01T12:00:00.000000000Z", "identity": "resolver"},
        "network": {"query-ip": "192.0.2.53"},
        "dns": {"qname": name, "resource-records": {"an": [{"rdatatype": "A", "rdata": address}]}},
    }
