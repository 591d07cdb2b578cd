"""An S3 service of our own: moto's server, which checks every signature, on its own port."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import threading
from pathlib import Path
from types import TracebackType
from typing import Any

import boto3

from .instance import SERVERS
from .postgres import free_port

NAME = "samples"
REGION = "us-east-1"
START_TIMEOUT = 60
# Making the bucket, the user, what it may do and its key: after these, every call has to be signed rightly.
UNSIGNED = 4


class Bucket:
    """`with Bucket.start(folder) as bucket: bucket.environment("prefix")`."""

    def __init__(self, url: str, process: subprocess.Popen[str], key: dict[str, str]) -> None:
        self.url = url
        self.process = process
        self.key = key

    @classmethod
    def start(cls, folder: Path) -> Bucket:
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        program = SERVERS / "bin/moto_server"
        log = (folder / "moto.log").open("w")
        process = subprocess.Popen(
            [program, "--host", "127.0.0.1", "--port", str(port)],
            stdout=log,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"INITIAL_NO_AUTH_ACTION_COUNT": str(UNSIGNED)},
        )
        ready = threading.Event()

        def follow() -> None:
            assert process.stderr
            for line in process.stderr:
                if "Running on" in line:
                    ready.set()
            ready.set()

        threading.Thread(target=follow, daemon=True).start()
        if not ready.wait(START_TIMEOUT) or process.poll() is not None:
            process.kill()
            raise RuntimeError("the S3 service did not start")
        return cls(url, process, prepared(url))

    def environment(self, prefix: str) -> dict[str, str | None]:
        """What PISAX is told to keep attachments in the bucket."""
        return {
            "PISAX_ATTACHMENTS": f"s3://{NAME}/{prefix}?endpoint={self.url}&region={REGION}",
            "AWS_ACCESS_KEY_ID": self.key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": self.key["SecretAccessKey"],
            "AWS_SESSION_TOKEN": None,
        }

    def names(self, prefix: str) -> list[str]:
        """What is in the bucket below a prefix."""
        answer = client("s3", self.url, self.key).list_objects_v2(Bucket=NAME, Prefix=f"{prefix}/")
        return [entry["Key"] for entry in answer.get("Contents", [])]

    def __enter__(self) -> Bucket:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()


class Gate:
    """Stands before a bucket; while it is shut, no answer comes through."""

    def __init__(self, url: str) -> None:
        self.behind = int(url.rsplit(":", 1)[1])
        self.opened = threading.Event()
        self.opened.set()
        self.changed = threading.Condition()
        self.held = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self.behind))
            threading.Thread(target=self._pass, args=(near, far, False), daemon=True).start()
            threading.Thread(target=self._pass, args=(far, near, True), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, answers: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                if answers and not self.opened.is_set():
                    with self.changed:
                        self.held += 1
                        self.changed.notify_all()
                    self.opened.wait()
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def shut(self) -> None:
        self.held = 0
        self.opened.clear()

    def holds(self, answers: int) -> bool:
        """Waits until so many answers stand before the gate."""
        with self.changed:
            return self.changed.wait_for(lambda: self.held >= answers, 60)

    def open(self) -> None:
        self.opened.set()


def client(service: str, url: str, key: dict[str, str]) -> Any:
    return boto3.client(
        service,
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )


def prepared(url: str) -> dict[str, str]:
    """Makes the bucket and a user who may do everything in it; gives the user's key."""
    nobody = {"AccessKeyId": "nobody", "SecretAccessKey": "nothing"}
    client("s3", url, nobody).create_bucket(Bucket=NAME)
    people = client("iam", url, nobody)
    people.create_user(UserName="pisax")
    allowed = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    people.put_user_policy(UserName="pisax", PolicyName="all", PolicyDocument=json.dumps(allowed))
    return dict(people.create_access_key(UserName="pisax")["AccessKey"])
