"""The MISP project's own module server, misp-modules, on a port of its own."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path
from types import TracebackType

from .instance import SERVERS
from .postgres import free_port

START_TIMEOUT = 120


class ModuleServer:
    """`with ModuleServer.start(folder) as modules: modules.port`."""

    def __init__(self, port: int, process: subprocess.Popen[str]) -> None:
        self.port = port
        self.process = process

    @classmethod
    def start(cls, folder: Path) -> ModuleServer:
        port = free_port()
        program = SERVERS / "bin/misp-modules"
        process = subprocess.Popen(
            [program, "-l", "127.0.0.1", "-p", str(port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            cwd=folder,
        )
        ready = threading.Event()

        def follow() -> None:
            assert process.stderr
            with (folder / "misp-modules.log").open("w") as log:
                for line in process.stderr:
                    log.write(line)
                    if "server started on" in line:
                        ready.set()
            ready.set()

        threading.Thread(target=follow, daemon=True).start()
        if not ready.wait(START_TIMEOUT) or process.poll() is not None:
            process.kill()
            raise RuntimeError("misp-modules did not start")
        return cls(port, process)

    def __enter__(self) -> ModuleServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()
