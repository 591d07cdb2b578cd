"""PyMISP's source package, with its live suite and its example scripts: fetched once, never committed."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

from .instance import ADMIN_KEY, CACHE, REPOSITORY

PINS = REPOSITORY / "tests/pymisp/pins.txt"
HOME = CACHE / "pymisp"


def fetch() -> Path:
    """The source package: from the cache if it is there, else by pip, which checks the hash."""
    pin = next(line for line in PINS.read_text().splitlines() if line and not line.startswith("#"))
    package = HOME / f"{pin.split()[0].replace('==', '-')}.tar.gz"
    if not package.exists():
        HOME.mkdir(parents=True, exist_ok=True)
        words = ["download", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-build-isolation"]
        words += ["--no-binary", ":all:", "--require-hashes", "--dest", str(HOME), "--requirement", str(PINS)]
        subprocess.run([sys.executable, "-m", "pip", *words], check=True)
    return package


def unpack(folder: Path) -> Path:
    """A fresh copy of the sources in this folder."""
    shutil.rmtree(folder, ignore_errors=True)
    with tarfile.open(fetch()) as archive:
        archive.extractall(folder, filter="data")
    (root,) = folder.iterdir()
    return root


class Examples:
    """The example scripts, each run as a person would: in their folder, with the file of keys they want."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = unpack(folder) / "examples"
        keys = {"misp_url": url, "misp_key": ADMIN_KEY, "misp_verifycert": False, "misp_client_cert": ""}
        (self.folder / "keys.py").write_text("".join(f"{name} = {value!r}\n" for name, value in keys.items()))

    def run(self, script: str, *words: str) -> str:
        """What it prints."""
        command = [sys.executable, f"{script}.py", *words]
        done = subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def file(self, name: str, text: str) -> str:
        (self.folder / name).write_text(text)
        return name
