"""A PostgreSQL of our own: its own folder, its own port, stopped by process id."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import threading
from pathlib import Path

START_TIMEOUT = 60


def free_port() -> int:
    """A port nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def find_programs() -> Path | None:
    """The folder that holds initdb and postgres: on the PATH, or where Debian keeps it."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: float(p.parts[4]))
    return versions[-1].parent if versions else None


def unprivileged() -> list[str]:
    """The words before a command that make it run as somebody PostgreSQL accepts: it refuses root."""
    if os.geteuid() != 0:
        return []
    known = {user.pw_name for user in pwd.getpwall()}
    return ["runuser", "-u", "postgres" if "postgres" in known else "nobody", "--"]


class Postgres:
    """One server; `with Postgres.start() as postgres: postgres.create_database("one")`."""

    def __init__(self, programs: Path, folder: Path, port: int, process: subprocess.Popen[str]) -> None:
        self.programs = programs
        self.folder = folder
        self.port = port
        self.process = process

    @classmethod
    def start(cls) -> Postgres:
        programs = find_programs()
        if programs is None:
            raise RuntimeError("PostgreSQL's server programs are not installed (Debian: postgresql)")
        folder = Path(tempfile.mkdtemp(prefix="pisax-postgres-"))
        user = unprivileged()
        if user:
            shutil.chown(folder, user[2])
        options = [
            "--username",
            "pisax",
            "--auth",
            "trust",
            "--encoding",
            "UTF8",
            "--locale",
            "C",
            "--no-sync",
        ]
        subprocess.run(
            [*user, programs / "initdb", "--pgdata", folder / "data", *options],
            check=True,
            capture_output=True,
            cwd=folder,
        )
        port = free_port()
        # What dies in these tests is PISAX, never PostgreSQL, so PostgreSQL need not wait for its disk.
        wanted = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off"}
        settings = [word for name, value in wanted.items() for word in ("-c", f"{name}={value}")]
        process = subprocess.Popen(
            [*user, programs / "postgres", "-D", folder / "data", "-p", str(port), *settings],
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            cwd=folder,
        )
        server = cls(programs, folder, port, process)
        server._await_ready()
        return server

    def _await_ready(self) -> None:
        """Follows the server's log into a file, and returns at the line that says it is up."""
        ready = threading.Event()
        log = self.folder / "log"

        def follow() -> None:
            assert self.process.stderr
            with log.open("w") as out:
                for line in self.process.stderr:
                    out.write(line)
                    out.flush()
                    if "ready to accept connections" in line:
                        ready.set()

        threading.Thread(target=follow, daemon=True).start()
        if not ready.wait(START_TIMEOUT):
            self.stop()
            raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text() if log.exists() else ''}")

    def create_database(self, name: str) -> str:
        """Makes an empty database and returns its address as PISAX takes it."""
        address = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "pisax"]
        subprocess.run([self.programs / "createdb", *address, name], check=True)
        return f"postgres://pisax@127.0.0.1:{self.port}/{name}"

    def stop(self) -> None:
        """A fast shutdown of exactly this server: its own process id is in its own folder."""
        pid_file = self.folder / "data" / "postmaster.pid"
        if pid_file.exists():
            pid = pid_file.read_text().split("\n", 1)[0]
            subprocess.run([*unprivileged(), "kill", "-INT", pid], check=False)
        else:
            self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Postgres:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
