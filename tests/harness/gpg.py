"""GnuPG, as those who sign events use it."""

from __future__ import annotations

import base64
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

WHITE_SPACE = re.compile(rb"\s+")


@dataclass(frozen=True)
class Gpg:
    """GnuPG with a folder of its own."""

    home: Path

    def run(self, *words: str, text: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        command = ["gpg", "--homedir", str(self.home), "--batch", "--quiet", "--pinentry-mode", "loopback"]
        return subprocess.run([*command, *words], input=text, capture_output=True, check=False)

    def new_key(self) -> str:
        made = self.run("--passphrase", "", "--quick-gen-key", f"{uuid4()}@key.test", "rsa2048", "sign")
        assert made.returncode == 0, made.stderr
        return self.run("--armor", "--export").stdout.decode()

    def sign(self, text: bytes) -> str:
        signed = self.run("--passphrase", "", "--detach-sign", text=WHITE_SPACE.sub(b"", text))
        assert signed.returncode == 0, signed.stderr
        return base64.b64encode(signed.stdout).decode()

    def verifies(self, text: bytes, signature: str) -> bool:
        file = self.home / "signature"
        file.write_bytes(base64.b64decode(signature))
        bare = WHITE_SPACE.sub(b"", text)
        return self.run("--verify", str(file), "-", text=bare).returncode == 0


def new_gpg(folder: Path) -> Gpg:
    home = folder / uuid4().hex[:8]
    home.mkdir(mode=0o700)
    return Gpg(home)
