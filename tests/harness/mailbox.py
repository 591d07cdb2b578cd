"""A mail server of our own: takes what is sent and hands it to whoever waits."""

from __future__ import annotations

import queue
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from .postgres import free_port

TIMEOUT = 30


class Mailbox:
    """`with Mailbox() as mailbox: … mailbox.next()`. Addresses at refused.test are turned away for good."""

    def __init__(self) -> None:
        self.mails: queue.Queue[EmailMessage] = queue.Queue()
        self.port = free_port()
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)

    async def handle_RCPT(  # noqa: N802 (aiosmtpd calls it so)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.endswith("@refused.test"):
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        mail = message_from_bytes(content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.put(mail)
        return "250 OK"

    def next(self) -> EmailMessage:
        """The next mail; waits for it."""
        return self.mails.get(timeout=TIMEOUT)

    def settings(self) -> dict[str, str | None]:
        """What an installation is told so that its mails come here."""
        return {
            "PISAX_SMTP_HOST": "127.0.0.1",
            "PISAX_SMTP_PORT": str(self.port),
            "PISAX_SMTP_TLS": "none",
            "PISAX_SMTP_FROM": "PISAX <misp@exchange.test>",
        }

    def __enter__(self) -> Mailbox:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()
