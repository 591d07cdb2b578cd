"""IntelMQ as published: its collector, its expert and its output for a MISP (PyPI, tests/programs.in)."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

from harness.instance import ADMIN_KEY, PROGRAMS

BOT = Path(__file__).with_name("intelmq_bot.py")
TIMEOUT = 60


def run_bot(
    kind: str, url: str, parameters: dict[str, Any], messages: list[dict[str, Any]] | None
) -> list[dict[str, Any]]:
    """The messages that the bot sends on. A collector is given none."""
    here = {"misp_url": f"{url}/", "misp_key": ADMIN_KEY, "http_verify_cert": False}
    wanted = {"module": f"intelmq.bots.{kind}", "parameters": here | parameters, "messages": messages}
    done = subprocess.run(
        [PROGRAMS / "bin/python", "-P", BOT],  # -P: this file has the name of its package
        input=json.dumps(wanted),
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(one) for one in json.loads(done.stdout)]


def collect(url: str, to_process: str, processed: str | None = None) -> list[dict[str, Any]]:
    """The events with one tag, which then have the other, so as not to be seen again."""
    parameters = {"misp_tag_to_process": to_process, "misp_tag_processed": processed}
    sent = run_bot("collectors.misp.collector", url, parameters, None)
    return [json.loads(base64.b64decode(one["raw"])) for one in sent]


def look_up(url: str, address: str) -> dict[str, str]:
    """What it adds to an IntelMQ event about its `source.ip`."""
    (sent,) = run_bot("experts.misp.expert", url, {}, [{"source.ip": address}])
    return {name: value for name, value in sent.items() if name.startswith("misp.")}


def put_out(url: str, tag: str, significant: list[str], *messages: dict[str, Any]) -> None:
    """One event for each combination of the significant fields; a known one is only made younger."""
    parameters = {"misp_tag_for_bot": tag, "significant_fields": significant, "misp_publish": True}
    assert run_bot("outputs.misp.output_api", url, parameters, list(messages)) == []
