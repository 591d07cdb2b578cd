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

    def new_reader(self, *, expires: str = "never", made_at: str | None = None) -> str:
        """A key whose subkey decrypts, made now or at a time such as 20200101T000000; armoured."""
        address = f"{uuid4()}@key.test"
        clock = ["--faked-system-time", f"{made_at}!"] if made_at else []
        new = [*clock, "--passphrase", ""]
        made = self.run(*new, "--quick-gen-key", address, "ed25519", "sign", expires)
        assert made.returncode == 0, made.stderr
        listed = self.run("--with-colons", "--list-keys", address).stdout.decode()
        fingerprint = next(line for line in listed.splitlines() if line.startswith("fpr")).split(":")[9]
        made = self.run(*new, "--quick-add-key", fingerprint, "cv25519", "encr", expires)
        assert made.returncode == 0, made.stderr
        return self.run("--armor", "--export", fingerprint).stdout.decode()

    def read(self, message: bytes) -> tuple[bytes, str]:
        """What was encrypted, and GnuPG's status lines: who signed, and how it was encrypted."""
        opened = self.run("--status-fd", "2", "--passphrase", "", "--decrypt", text=message)
        assert opened.returncode == 0, opened.stderr
        return opened.stdout, opened.stderr.decode()

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
