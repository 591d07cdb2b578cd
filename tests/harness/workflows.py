"""Workflows as MISP's editor draws them, and somebody's web service that hears of them."""

from __future__ import annotations

import http.server
import json
import queue
import threading
from typing import Any
from uuid import uuid4

from .api import Api

# Long enough for a busy machine; nothing waits for it unless something is wrong.
PATIENCE = 60
ARBITRARY_URLS = "Security.rest_client_enable_arbitrary_urls"


class Receiver:
    """Somebody's web service: it keeps what is posted to it, path by path."""

    def __init__(self) -> None:
        self.heard: queue.Queue[tuple[str, dict[str, str], Any]] = queue.Queue()
        heard = self.heard

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                heard.put((self.path, dict(self.headers), json.loads(body)))
                self.send_response(500 if self.path == "/broken" else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def next(self) -> tuple[str, dict[str, str], Any]:
        return self.heard.get(timeout=PATIENCE)

    def about(self, event: dict[str, Any], path: str = "/hook") -> Any:
        """What was told of this event."""
        while True:
            where, _, told = self.next()
            if where == path and told["Event"]["uuid"] == event["uuid"]:
                return told


def setting(api: Api, name: str, value: Any) -> None:
    api.ok(f"/servers/serverSettingsEdit/{name}", {"value": value})


def node(number: int, module: str, *outputs: int, **params: Any) -> dict[str, Any]:
    """A node as MISP's editor writes it; the n-th output leads to the n-th number, 0 to nowhere."""
    connections = {
        f"output_{i}": {"connections": [{"node": str(to), "output": "input_1"}] if to else []}
        for i, to in enumerate(outputs, 1)
    }
    return {
        "id": number,
        "name": module,
        "data": {"id": module, "indexed_params": params, "saved_filters": {"selector": "", "operator": ""}},
        "class": "block-type-default",
        "inputs": {},
        "outputs": connections,
        "pos_x": 10.5,
        "pos_y": 20,
    }


def graph(*nodes: dict[str, Any]) -> dict[str, Any]:
    return {str(node["id"]): node for node in nodes}


def a_workflow(api: Api, *nodes: dict[str, Any]) -> dict[str, Any]:
    """A workflow that is on, with its trigger."""
    sent = {"Workflow": {"name": f"Workflow {uuid4()}", "data": json.dumps(graph(*nodes))}}
    workflow = api.ok("/workflows/add", sent)["Workflow"]
    api.ok(f"/workflows/toggleModule/{workflow['trigger_id']}/1/1")
    return workflow


def an_event(api: Api, **more: Any) -> dict[str, Any]:
    return api.ok("/events/add", {"info": f"Event {uuid4()}", "distribution": 0} | more)["Event"]


def tags(event: dict[str, Any]) -> list[str]:
    return [tag["name"] for tag in event.get("Tag", [])]
