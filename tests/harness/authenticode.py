"""Signs the executables of samples.py as Windows programs are signed, by a publisher made for the test.

PKCS #7 as Authenticode uses it, written out: enough for parsers that verify, and nothing else.
"""

from __future__ import annotations

import hashlib
import random
import struct

from .samples import executable

# Where checksum and certificate directory stand in these files: both are left out of the digest.
CHECKSUM, DIRECTORY = 0x98, 0xE8
RSA, SHA256, SHA256_RSA = "1.2.840.113549.1.1.1", "2.16.840.1.101.3.4.2.1", "1.2.840.113549.1.1.11"
SIGNED_DATA, CONTENT_TYPE, MESSAGE_DIGEST = (
    "1.2.840.113549.1.7.2",
    "1.2.840.113549.1.9.3",
    "1.2.840.113549.1.9.4",
)
INDIRECT_DATA, IMAGE_DATA, OPUS_INFO = (f"1.3.6.1.4.1.311.2.1.{arc}" for arc in (4, 15, 12))


def signed(name: str, sections: int, publisher: str) -> bytes:
    """An executable with its signature; the same each time it is made."""
    file = executable(name, sections)
    signature = Publisher(publisher, seed=name).signature(digest(file), program=name)
    padded = signature + bytes(-len(signature) % 8)
    entry = struct.pack("<IHH", 8 + len(padded), 0x0200, 0x0002) + padded
    directory = struct.pack("<II", len(file), len(entry))
    return file[:DIRECTORY] + directory + file[DIRECTORY + 8 :] + entry


def digest(file: bytes) -> bytes:
    """What Authenticode signs of an unsigned file."""
    return hashlib.sha256(file[:CHECKSUM] + file[CHECKSUM + 4 : DIRECTORY] + file[DIRECTORY + 8 :]).digest()


class Publisher:
    """An RSA key with a certificate that it signed itself."""

    def __init__(self, name: str, seed: str) -> None:
        chance = random.Random(seed)
        p, q = prime(chance), prime(chance)
        self.n, self.d = p * q, pow(65_537, -1, (p - 1) * (q - 1))
        self.serial = integer(chance.getrandbits(64))
        self.name = sequence(der(0x31, sequence(oid("2.5.4.3"), der(0x0C, name.encode()))))
        self.certificate = self.certify()

    def sign(self, data: bytes) -> bytes:
        """RFC 8017, 8.2: RSASSA-PKCS1-v1_5."""
        info = digest_info(hashlib.sha256(data).digest())
        size = (self.n.bit_length() + 7) // 8
        padded = b"\0\1" + b"\xff" * (size - len(info) - 3) + b"\0" + info
        return pow(int.from_bytes(padded), self.d, self.n).to_bytes(size)

    def certify(self) -> bytes:
        algorithm = sequence(oid(SHA256_RSA), null())
        key = sequence(sequence(oid(RSA), null()), bits(sequence(integer(self.n), integer(65_537))))
        valid = sequence(der(0x17, b"260101000000Z"), der(0x17, b"360101000000Z"))
        body = sequence(der(0xA0, integer(2)), self.serial, algorithm, self.name, valid, self.name, key)
        return sequence(body, algorithm, bits(self.sign(body)))

    def signature(self, digest: bytes, program: str) -> bytes:
        image = sequence(oid(IMAGE_DATA), sequence(bits(b""), der(0xA0, der(0xA2, der(0x80, b"")))))
        content = image + digest_info(digest)
        named = der(0xA0, der(0x80, program.encode("utf-16-be")))
        attributes = der(
            0x31,
            sequence(oid(CONTENT_TYPE), der(0x31, oid(INDIRECT_DATA))),
            sequence(oid(OPUS_INFO), der(0x31, sequence(named))),
            sequence(oid(MESSAGE_DIGEST), der(0x31, der(0x04, hashlib.sha256(content).digest()))),
        )
        hashing = sequence(oid(SHA256), null())
        signer = sequence(
            integer(1),
            sequence(self.name, self.serial),
            hashing,
            b"\xa0" + attributes[1:],
            sequence(oid(RSA), null()),
            der(0x04, self.sign(attributes)),
        )
        data = sequence(
            integer(1),
            der(0x31, hashing),
            sequence(oid(INDIRECT_DATA), der(0xA0, sequence(content))),
            der(0xA0, self.certificate),
            der(0x31, signer),
        )
        return sequence(oid(SIGNED_DATA), der(0xA0, data))


def prime(chance: random.Random) -> int:
    """512 bits that pass twenty rounds of Miller and Rabin."""
    while True:
        n = chance.getrandbits(512) | 3 << 510 | 1
        if n % 65_537 != 1 and all(n % small for small in (3, 5, 7, 11, 13)) and is_prime(n, chance):
            return n


def is_prime(n: int, chance: random.Random) -> bool:
    twos = ((n - 1) & -(n - 1)).bit_length() - 1
    for _ in range(20):
        x = pow(chance.randrange(2, n - 1), (n - 1) >> twos, n)
        if x not in (1, n - 1) and all((x := x * x % n) != n - 1 for _ in range(twos - 1)):
            return False
    return True


# X.690, distinguished encoding.


def der(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    size = len(body)
    if size < 0x80:
        return bytes([tag, size]) + body
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(length)]) + length + body


def sequence(*parts: bytes) -> bytes:
    return der(0x30, *parts)


def integer(n: int) -> bytes:
    return der(0x02, n.to_bytes(n.bit_length() // 8 + 1))


def bits(data: bytes) -> bytes:
    return der(0x03, b"\0", data)


def null() -> bytes:
    return der(0x05)


def oid(text: str) -> bytes:
    first, second, *arcs = (int(arc) for arc in text.split("."))
    body = bytes([first * 40 + second])
    for arc in arcs:
        groups = [arc >> shift & 0x7F for shift in range(arc.bit_length() // 7 * 7, -7, -7)] or [0]
        while len(groups) > 1 and groups[0] == 0:
            groups.pop(0)
        body += bytes([group | 0x80 for group in groups[:-1]] + [groups[-1]])
    return der(0x06, body)


def digest_info(digest: bytes) -> bytes:
    return sequence(sequence(oid(SHA256), null()), der(0x04, digest))
