"""A PISAX of our own: the real binary on a free port with a fresh folder."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
from pathlib import Path
from typing import IO

from .api import Api
from .postgres import free_port

REPOSITORY = Path(__file__).resolve().parents[2]
CACHE = REPOSITORY / ".cache"
KNOWLEDGE = CACHE / "knowledge"
# The servers that tests talk to, in a Python of their own.
SERVERS = CACHE / "servers"
# The programs of other makers that talk to ours, likewise.
PROGRAMS = CACHE / "programs"

ADMIN_EMAIL = "admin@admin.test"
ADMIN_PASSWORD = "Correct-Horse-Battery-9"
ADMIN_KEY = "EndToEndAdminKey0123456789abcdefghijKLMN"
ORGANISATION = "ORGNAME"

READY = re.compile(r"^PISAX is ready at (http://\S+?)/?\s*$")
START_TIMEOUT = 120
STOP_TIMEOUT = 60


def binary() -> Path:
    """The binary under test: PISAX_BINARY, else the one cargo built last for development."""
    path = Path(os.environ.get("PISAX_BINARY", REPOSITORY / "target/debug/pisax")).resolve()
    if not path.exists():
        raise RuntimeError(f"{path} does not exist: cargo build -p pisax")
    return path


class Instance:
    """One installation: a folder, a database, and at most one running server on it."""

    def __init__(self, folder: Path, database: str | None = None, log: Path | None = None) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.database = database or f"sqlite:{self.data / 'pisax.db'}"
        self.log = log or folder / "log"
        # What this installation is told beyond the usual; None takes a setting away.
        self.environment: dict[str, str | None] = {}
        self.url = ""
        self.process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self.data.mkdir(parents=True, exist_ok=True)
        self.log.parent.mkdir(parents=True, exist_ok=True)

    def env(self) -> dict[str, str]:
        """The caller's environment without its own PISAX settings, and with ours."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PISAX_")}
        ours = {
            "PISAX_ADMIN_EMAIL": ADMIN_EMAIL,
            "PISAX_ADMIN_PASSWORD": ADMIN_PASSWORD,
            "PISAX_ADMIN_KEY": ADMIN_KEY,
            "PISAX_ORG": ORGANISATION,
            # Most tests want no knowledge: they start faster without it.
            "PISAX_KNOWLEDGE": str(self.folder / "no-knowledge"),
        }
        merged = inherited | ours | self.environment
        return {name: value for name, value in merged.items() if value is not None}

    @property
    def place(self) -> list[str]:
        return ["--data", str(self.data), "--database", self.database]

    def cli(self, *words: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Runs `pisax WORDS…` on this installation, in its folder, and returns what it printed."""
        done = subprocess.run(
            [binary(), *words, *self.place],
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=self.env(),
            check=False,
        )
        with self.log.open("a") as log:
            log.write(
                f"--- pisax {' '.join(map(str, words))} -> {done.returncode}\n{done.stdout}{done.stderr}"
            )
        if check:
            assert done.returncode == 0, f"pisax {words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def start_at(self, url: str) -> Instance:
        """Starts the server where it was reached before."""
        return self.start(int(url.rsplit(":", 1)[-1]))

    def start(self, port: int | None = None) -> Instance:
        """Starts the server and returns when it says that it is ready."""
        assert self.process is None, "it is running"
        log = self.log.open("a")
        process = subprocess.Popen(
            [binary(), "serve", "--listen", f"127.0.0.1:{port or free_port()}", *self.place],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=self.folder,
            env=self.env(),
        )
        said = threading.Event()
        self.url = ""

        def follow(lines: IO[str]) -> None:
            with log:
                for line in lines:
                    log.write(line)
                    log.flush()
                    if ready := READY.match(line):
                        self.url = ready.group(1)
                        said.set()
            said.set()

        assert process.stdout
        self.process = process
        self._reader = threading.Thread(target=follow, args=(process.stdout,), daemon=True)
        self._reader.start()
        if not said.wait(START_TIMEOUT) or not self.url:
            self.kill()
            raise RuntimeError(f"pisax serve did not get ready:\n{self.tail()}")
        return self

    def stop(self) -> int:
        """Asks it to stop and returns its exit code; a server that does not stop is a failure."""
        process = self._running()
        process.send_signal(signal.SIGTERM)
        try:
            return self._ended(process.wait(STOP_TIMEOUT))
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"pisax did not stop on SIGTERM:\n{self.tail()}") from None

    def kill(self) -> None:
        """kill -9."""
        process = self._running()
        process.kill()
        self._ended(process.wait())

    def close(self) -> None:
        if self.process is not None:
            self.stop()

    def _running(self) -> subprocess.Popen[str]:
        assert self.process is not None, "it is not running"
        return self.process

    def _ended(self, code: int) -> int:
        self.process = None
        if self._reader:
            self._reader.join()
        return code

    def api(self, key: str | None = ADMIN_KEY) -> Api:
        return Api(self.url, key)

    def tail(self, lines: int = 60) -> str:
        return (
            "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:]) if self.log.exists() else ""
        )
