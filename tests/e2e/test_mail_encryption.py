"""Mail to those who have a PGP key, as GnuPG reads it, and to those who have none."""

from __future__ import annotations

from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from conftest import NewInstance
from harness.api import Api
from harness.gpg import Gpg, new_gpg
from harness.instance import Instance
from harness.mailbox import Mailbox
from test_accounts import a_member, an_event, on, until


@pytest.fixture(scope="module")
def mailbox() -> Iterator[Mailbox]:
    with Mailbox() as mailbox:
        yield mailbox


@pytest.fixture(scope="module")
def posting(new_instance: NewInstance, mailbox: Mailbox) -> Instance:
    instance = new_instance()
    instance.environment |= mailbox.settings()
    return instance.start()


@pytest.fixture
def gpg(posting: Instance, tmp_path: Path) -> Gpg:
    """GnuPG, which knows the instance's key."""
    gpg = new_gpg(tmp_path)
    assert gpg.run("--import", text=posting.api().get("/users/getGpgPublicKey").content).returncode == 0
    return gpg


def opened(gpg: Gpg, mail: EmailMessage) -> tuple[EmailMessage, str]:
    """The part inside, and what GnuPG says of it."""
    assert mail.get_content_type() == "multipart/encrypted"
    assert mail.get_param("protocol") == "application/pgp-encrypted"
    control, message = mail.iter_parts()
    assert control.get_content_type() == "application/pgp-encrypted"
    assert control.get_content().strip() == b"Version: 1"
    text, status = gpg.read(message.get_content())
    inside = message_from_bytes(text, policy=policy.default)
    assert isinstance(inside, EmailMessage)
    return inside, status


def noted(admin: Api, title: str) -> dict[str, Any]:
    def rows() -> Any:
        return admin.ok("/admin/logs/index", {"title": title})

    row: dict[str, Any] = until(rows)[0]["Log"]
    return row


def test_a_publication_reaches_the_key_of_its_reader_signed(
    posting: Instance, mailbox: Mailbox, gpg: Gpg
) -> None:
    admin = posting.api()
    _, reader = a_member(admin, autoalert=True, gpgkey=gpg.new_reader())
    attributes = [{"type": "domain", "value": "evil.example", "category": "Network activity"}]
    event = an_event(admin, info="Gefährliches", Attribute=attributes)
    admin.ok(f"/events/alert/{event['id']}")
    mail = mailbox.next()
    assert mail["To"] == reader["email"]
    assert b"evil" not in mail.as_bytes() and "Gef" not in mail.as_string()
    inside, status = opened(gpg, mail)
    body = inside.get_content()
    assert "evil[.]example" in body and "Gefährliches" in body
    assert inside["Subject"] == mail["Subject"]
    assert "GOODSIG" in status and "DECRYPTION_OKAY" in status
    title = f'Encrypted email  to {reader["email"]} sent, titled "{mail["Subject"]}".'
    assert noted(admin, title)["title"] == title


def test_subject_and_signature_are_as_the_settings_say(posting: Instance, mailbox: Mailbox, gpg: Gpg) -> None:
    admin = posting.api()
    _, creator = a_member(admin, gpgkey=gpg.new_reader())
    on(admin, "GnuPG.obscure_subject", True)
    on(admin, "GnuPG.sign", False)
    admin.ok(f"/users/initiatePasswordReset/{creator['id']}")
    mail = mailbox.next()
    assert mail["Subject"] == "..."
    inside, status = opened(gpg, mail)
    assert inside["Subject"] == "[ORGNAME MISP] Password reset" and "Password" in inside.get_content()
    assert "GOODSIG" not in status and "ERRSIG" not in status
    on(admin, "GnuPG.obscure_subject", False)
    on(admin, "GnuPG.sign", True)


def test_who_has_no_key_gets_a_notice_or_nothing(posting: Instance, mailbox: Mailbox, gpg: Gpg) -> None:
    admin = posting.api()
    _, plain = a_member(admin, org="1", contactalert=True)
    _, keyed = a_member(admin, org="1", contactalert=True, gpgkey=gpg.new_reader())
    event = an_event(admin)
    asker, _ = a_member(admin)
    on(admin, "GnuPG.bodyonlyencrypted", True)
    asker.ok(f"/events/contact/{event['id']}", {"message": "Tell me", "anonymous": True})
    mails = {mail["To"]: mail for mail in (mailbox.next() for _ in range(3))}
    notice = mails[plain["email"]].get_content()
    assert f"/events/view/{event['id']}" in notice and "Tell me" not in notice
    inside, _ = opened(gpg, mails[keyed["email"]])
    assert "Tell me" in inside.get_content() and mails[keyed["email"]]["Reply-To"] is None
    on(admin, "GnuPG.bodyonlyencrypted", False)
    on(admin, "GnuPG.onlyencrypted", True)
    admin.ok(f"/users/initiatePasswordReset/{plain['id']}")
    row = noted(admin, f"{plain['email']} could not be sent")
    assert "no PGP key" in row["change"]
    admin.ok(f"/users/initiatePasswordReset/{keyed['id']}")
    assert mailbox.next()["To"] == keyed["email"], "and nothing else came"
    on(admin, "GnuPG.onlyencrypted", False)


def test_a_key_that_is_of_no_use_is_refused_with_the_reason(posting: Instance, gpg: Gpg) -> None:
    admin = posting.api()
    _, user = a_member(admin)
    for key, why in [
        ("a key", "no public OpenPGP key"),
        (gpg.new_key(), "encrypts"),
        (gpg.new_reader(expires="1d", made_at="20200101T000000"), "expired"),
    ]:
        refused = admin.post(f"/admin/users/edit/{user['id']}", {"gpgkey": key})
        assert refused.status_code == 403
        assert why in str(refused.json()["errors"]["gpgkey"])


def test_a_mail_is_held_until_its_reader_has_a_key_that_serves(
    posting: Instance, mailbox: Mailbox, gpg: Gpg
) -> None:
    admin = posting.api()
    _, other = a_member(admin)
    expiring = gpg.new_reader(expires="seconds=12")
    _, user = a_member(admin, gpgkey=expiring)

    def expired() -> bool:
        edit = f"/admin/users/edit/{other['id']}"
        admin.ok(edit, {"gpgkey": ""})
        return admin.post(edit, {"gpgkey": expiring}).status_code == 403

    until(expired)
    admin.ok(f"/users/initiatePasswordReset/{user['id']}")
    assert "expired" in noted(admin, f"{user['email']} is held")["change"]
    assert mailbox.mails.empty()
    admin.ok(f"/admin/users/edit/{user['id']}", {"gpgkey": gpg.new_reader()})
    inside, _ = opened(gpg, mailbox.next())
    assert "Password" in inside.get_content()
