"""Harmless stand-ins for the malware samples that PyMISP's suite takes apart.

Each is a valid 64-bit Windows executable that would do nothing but end: enough for the parsers that
PyMISP uses, with as many sections as the suite counts.
"""

from __future__ import annotations

import random
import struct
from pathlib import Path

FILE_ALIGNMENT, SECTION_ALIGNMENT, HEADERS = 0x200, 0x1000, 0x400
# 2026-01-01, so that the file is the same each time it is made.
MADE = 1_767_225_600
READ, EXECUTE, CODE, DATA = 0x4000_0000, 0x2000_0000, 0x20, 0x40

# File name and number of sections; PyMISP makes one object of the file, one of its header, one each.
SAMPLES = {"whoami.exe": 5, "sample2.pe": 6, "chromeinstall-8u31.exe": 7}


def write_samples(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, sections in SAMPLES.items():
        (folder / name).write_bytes(executable(name, sections))


def executable(name: str, sections: int) -> bytes:
    """A PE32+ file whose entry point returns zero, with an import table and filler sections."""
    chance = random.Random(name)
    bodies = [(b".text", bytes.fromhex("31c0c3"), CODE | READ | EXECUTE), (b".idata", b"", DATA | READ)]
    for number in range(sections - 2):
        text = f"{name}: harmless filler {number}. ".encode() * 20 + chance.randbytes(300)
        bodies.append((f".fill{number}".encode(), text, DATA | READ))
    imports_at = SECTION_ALIGNMENT * 2
    bodies[1] = (b".idata", imports(imports_at), DATA | READ)

    table, content = b"", b""
    for number, (label, body, flags) in enumerate(bodies):
        padded = body + bytes(-len(body) % FILE_ALIGNMENT)
        address = SECTION_ALIGNMENT * (number + 1)
        place = HEADERS + len(content)
        table += struct.pack("<8sIIIIIIHHI", label, len(body), address, len(padded), place, 0, 0, 0, 0, flags)
        content += padded
    end = SECTION_ALIGNMENT * (len(bodies) + 1)
    headers = dos_header() + b"PE\0\0" + coff_header(len(bodies)) + optional_header(end, imports_at) + table
    return headers.ljust(HEADERS, b"\0") + content


def dos_header() -> bytes:
    return struct.pack("<2s58xI", b"MZ", 0x40)


def coff_header(sections: int) -> bytes:
    return struct.pack("<HHIIIHH", 0x8664, sections, MADE, 0, 0, 240, 0x22)


def optional_header(end: int, imports_at: int) -> bytes:
    """PE32+ with its sixteen directories, of which only the imports are used."""
    start = struct.pack("<HBBIIIII", 0x20B, 14, 0, FILE_ALIGNMENT, 0, 0, SECTION_ALIGNMENT, SECTION_ALIGNMENT)
    windows = struct.pack(
        "<QIIHHHHHHIIIIHHQQQQII",
        *(0x1_4000_0000, SECTION_ALIGNMENT, FILE_ALIGNMENT),
        *(6, 0, 0, 0, 6, 0, 0),
        *(end, HEADERS, 0, 3, 0x8160),
        *(0x10_0000, 0x1000, 0x10_0000, 0x1000, 0, 16),
    )
    directories = [(0, 0)] * 16
    directories[1] = (imports_at, 40)
    return start + windows + b"".join(struct.pack("<II", *entry) for entry in directories)


def imports(base: int) -> bytes:
    """One import: ExitProcess of KERNEL32."""
    descriptors, names = 40, 2 * 16
    library = descriptors + names
    function = library + len(b"KERNEL32.dll\0") + 1
    thunk = struct.pack("<QQ", base + function, 0)
    descriptor = struct.pack("<IIIII", base + descriptors, 0, 0, base + library, base + descriptors + 16)
    return descriptor + bytes(20) + thunk * 2 + b"KERNEL32.dll\0\0" + b"\0\0ExitProcess\0"
