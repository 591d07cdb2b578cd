"""A signed program taken apart by PyMISP and sent object by object, as its test_lief_and_sign does.

That test wants a vendor's installer, which may not be passed on; here the program and its publisher are made.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

from harness.authenticode import digest, signed
from harness.instance import ADMIN_KEY, Instance
from harness.samples import executable
from harness.scenes import an_event
from pymisp import MISPObject, PyMISP
from pymisp.tools import make_binary_objects

SECTIONS = 4


def test_a_signed_programs_objects_come_back_with_what_they_are_to_each_other(
    server: Instance, tmp_path: Path
) -> None:
    path = tmp_path / "tool.exe"
    path.write_bytes(signed(path.name, SECTIONS, publisher="An exchange"))
    parts = make_binary_objects(str(path))
    file, program, sections = parts
    (certificate,), (signer,) = program.certificates, program.signers
    del program.certificates, program.signers, program.sections

    misp = PyMISP(server.url, ADMIN_KEY)
    event = misp.get_event(an_event(server.api())["uuid"], pythonify=True)
    sent: list[MISPObject] = [*sections, certificate, signer, program, file]
    for one in sent:
        assert isinstance(misp.add_object(event, one, pythonify=True), MISPObject), one.name
    for reference in [*program.ObjectReference, *file.ObjectReference]:
        said: Any = misp.add_object_reference(reference)
        assert "errors" not in said, said

    held = misp.get_event(event, pythonify=True)
    assert sorted(one.name for one in held.objects) == sorted(one.name for one in sent)
    assert len(sent) == SECTIONS + 4

    def values(one: MISPObject) -> dict[str, str]:
        (found,) = [other for other in held.objects if other.uuid == one.uuid]
        return {attribute.object_relation: str(attribute.value) for attribute in found.attributes}

    assert values(program)["imphash"] == hashlib.md5(b"kernel32.exitprocess").hexdigest()  # noqa: S324
    assert values(program)["authentihash"] == digest(executable(path.name, SECTIONS)).hex()
    assert values(file)["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert values(signer)["program-name"] == path.name
    shown = values(certificate)
    assert shown["subject"] == shown["issuer"] == "CN=An exchange"
    assert shown["validity-not-after"].startswith("2036-01-01")
    assert base64.b64decode(shown["raw-base64"])[:2] == b"\x30\x82", "the certificate itself"

    references = {
        (one.uuid, reference.referenced_uuid, reference.relationship_type)
        for one in held.objects
        for reference in one.ObjectReference
    }
    assert references >= {(program.uuid, one.uuid, "signed-by") for one in (certificate, signer)}
    assert references >= {(program.uuid, one.uuid, "includes") for one in sections}
    assert (file.uuid, program.uuid, "includes") in references
