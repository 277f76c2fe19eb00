"""A VGA text screen as a picture: for emulators that give its memory only."""

import struct
import zlib
from pathlib import Path

from .status import PxhvError

COLUMNS, ROWS = 80, 25
WIDTH, HEIGHT = 8, 16  # of a character
TEXT_BYTES = COLUMNS * ROWS * 2

# The font is in every VGA BIOS; what it looks like, to find it there, is its "A".
VGA_BIOSES = ["/usr/share/vgabios/vgabios.bin", "/usr/share/bochs/VGABIOS-lgpl-latest",
              "/usr/share/seabios/vgabios-isavga.bin"]
LETTER_A = bytes.fromhex("000010386cc6c6fec6c6c6c600000000")

# The adapter's 16 colours as it comes up, red, green and blue; 6 is brown, not dark yellow.
PALETTE = b"".join(
    bytes((0xAA if i >> 2 & 1 else 0, (0x55 if i == 6 else 0xAA) if i >> 1 & 1 else 0, 0xAA if i & 1 else 0))
    if i < 8 else bytes((0xFF if i >> 2 & 1 else 0x55, 0xFF if i >> 1 & 1 else 0x55, 0xFF if i & 1 else 0x55))
    for i in range(16))


def font() -> bytes:
    """256 characters of 16 rows."""
    for path in map(Path, VGA_BIOSES):
        data = path.read_bytes() if path.is_file() else b""
        at = data.find(LETTER_A) - ord("A") * HEIGHT
        if at >= 0:
            return data[at:at + 256 * HEIGHT]
    raise PxhvError("no VGA BIOS with a font is there: apt-get install vgabios")


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(text: bytes) -> bytes:
    """The PNG of 80 x 25 characters with their attributes, as they lie at B8000h."""
    glyphs = font()
    rows = bytearray()
    for y in range(ROWS * HEIGHT):
        rows.append(0)  # PNG's filter: none
        start = y // HEIGHT * COLUMNS * 2
        for c, attribute in zip(text[start:start + COLUMNS * 2:2], text[start + 1:start + COLUMNS * 2:2]):
            bits = glyphs[c * HEIGHT + y % HEIGHT]
            ink, paper = attribute & 15, attribute >> 4 & 7
            rows += bytes(ink if bits & 0x80 >> x else paper for x in range(WIDTH))
    header = struct.pack(">IIBBBBB", COLUMNS * WIDTH, ROWS * HEIGHT, 8, 3, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"PLTE", PALETTE) +
            chunk(b"IDAT", zlib.compress(bytes(rows))) + chunk(b"IEND", b""))
