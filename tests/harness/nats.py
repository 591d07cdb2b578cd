"""A NATS server of our own with JetStream, and a subscriber made with NATS' own client."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import threading
from pathlib import Path
from typing import Any, Self

import nats
from nats.errors import Error as NatsError
from nats.js.api import ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError

from .listeners import PATIENCE, Heard, Listener
from .postgres import free_port

START_TIMEOUT = 60


def find_program() -> Path:
    """Debian keeps it where only root looks."""
    found = shutil.which("nats-server") or shutil.which("nats-server", path="/usr/sbin:/usr/local/bin")
    if found is None:
        raise RuntimeError("no NATS server is installed (Debian: nats-server)")
    return Path(found)


class NatsServer:
    """`with NatsServer.start(folder) as server: server.url`; it asks for a user where there is one."""

    def __init__(self, folder: Path, port: int, options: list[str]) -> None:
        self.folder, self.port, self.options = folder, port, options
        self.process: subprocess.Popen[str] | None = None

    @classmethod
    def start(cls, folder: Path, user: str = "", password: str = "") -> Self:
        options = ["--user", user, "--pass", password] if user else []
        server = cls(folder, free_port(), options)
        server.up()
        return server

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def up(self) -> None:
        words = ["--jetstream", "--store_dir", self.folder / "jetstream", "--addr", "127.0.0.1"]
        process = subprocess.Popen(
            [find_program(), *words, "--port", str(self.port), *self.options],
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            cwd=self.folder,
        )
        ready = threading.Event()

        def follow() -> None:
            assert process.stderr
            with (self.folder / "nats-server.log").open("a") as log:
                for line in process.stderr:
                    log.write(line)
                    if "Server is ready" in line:
                        ready.set()
            ready.set()

        threading.Thread(target=follow, daemon=True).start()
        self.process = process
        if not ready.wait(START_TIMEOUT) or process.poll() is not None:
            self.down()
            raise RuntimeError("nats-server did not start")

    def down(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.down()


class NatsSubscriber(Listener):
    """Reads what a stream holds of a subject, from its beginning."""

    def __init__(self, url: str, subject: str, stream: str = "PISAX", **options: Any) -> None:
        super().__init__()
        self.url, self.subject, self.stream, self.options = url, subject, stream, options
        self.subjects: list[str] = []
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        asyncio.run_coroutine_threadsafe(self._begin(), self.loop).result(PATIENCE)

    async def _begin(self) -> None:
        self.client = await nats.connect(self.url, **self.options)
        context = self.client.jetstream()
        end = self.loop.time() + PATIENCE
        while True:
            try:
                await context.stream_info(self.stream)
                break
            except (NotFoundError, NatsError):
                # The publisher makes it when it comes.
                if self.loop.time() > end:
                    raise
                await asyncio.sleep(0.05)
        await context.subscribe(
            self.subject,
            stream=self.stream,
            ordered_consumer=True,
            config=ConsumerConfig(deliver_policy=DeliverPolicy.ALL),
            cb=self._take,
        )

    async def _take(self, message: Any) -> None:
        headers = message.headers or {}
        self.subjects.append(message.subject)
        self.queue.put(Heard(headers["Pisax-Kind"], json.loads(message.data), headers["Nats-Msg-Id"]))

    async def _end(self) -> None:
        await self.client.close()
        # The client leaves tasks of its consumers behind.
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self.loop).result(PATIENCE)
        self.loop.call_soon_threadsafe(self.loop.stop)
