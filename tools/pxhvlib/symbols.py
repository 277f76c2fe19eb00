"""Names for a guest's code addresses, from its ELF file (vmlinux) or a System.map."""

import bisect
import re
import struct
from pathlib import Path

from .status import UsageError

SHT_SYMTAB = 2
SHF_EXECINSTR = 4
STT_NOTYPE, STT_FUNC = 0, 2
MAP_LINE = re.compile(r"^([0-9a-fA-F]{6,16}) ([tTwW]) (\S+)", re.MULTILINE)
FAR = 1 << 20  # bytes behind a symbol of unknown size that are no longer its own


def elf_text(data: bytes) -> list[tuple[int, int, str]]:
    """Address, size (0: unknown) and name of each symbol in an executable section of a little-endian ELF, 32 or 64 bits."""
    wide = data[4] == 2
    if data[5] != 1:
        raise ValueError("it is big-endian")
    section_offset, = struct.unpack_from("<Q" if wide else "<I", data, 40 if wide else 32)
    entry_size, count = struct.unpack_from("<HH", data, 58 if wide else 46)
    # name, type, flags, address, offset, size, link
    layout = struct.Struct("<IIQQQQI" if wide else "<IIIIIII")
    sections = [layout.unpack_from(data, section_offset + i * entry_size) for i in range(count)]
    found = []
    for _, kind, _, _, offset, size, link in sections:
        if kind != SHT_SYMTAB:
            continue
        names = data[sections[link][4]:sections[link][4] + sections[link][5]]
        for at in range(offset, offset + size, 24 if wide else 16):
            if wide:
                name, info, _, section, value, length = struct.unpack_from("<IBBHQQ", data, at)
            else:
                name, value, length, info, _, section = struct.unpack_from("<IIIBBH", data, at)
            if info & 15 in (STT_NOTYPE, STT_FUNC) and name and 0 < section < count and sections[section][2] & SHF_EXECINSTR:
                found.append((value, length, names[name:names.index(b"\0", name)].decode("utf-8", "replace")))
    return found


class Symbols:
    """Finds the symbol that an address is in."""

    def __init__(self, symbols: list[tuple[int, int, str]]):
        # of several at one address the one with a size comes last, and counts
        self.symbols = sorted(symbols)
        self.addresses = [s[0] for s in self.symbols]

    @classmethod
    def read(cls, path: Path) -> "Symbols":
        """Reads either kind of file; UsageError for others and for those without symbols."""
        try:
            data = path.read_bytes()
        except OSError as e:
            raise UsageError(f"cannot read {path}: {e.strerror}") from e
        if data.startswith(b"\x7fELF"):
            try:
                symbols = elf_text(data)
            except (struct.error, IndexError, ValueError) as e:
                raise UsageError(f"{path}: a damaged ELF file ({e})") from e
        else:
            symbols = [(int(address, 16), 0, name) for address, _, name in MAP_LINE.findall(data.decode("latin-1"))]
        if not symbols:
            raise UsageError(f"{path} has no symbols of code: it must be an ELF file that was not stripped, or a System.map")
        return cls(symbols)

    def name(self, address: int) -> str:
        """name+0x12, or "" where no symbol is."""
        i = bisect.bisect_right(self.addresses, address) - 1
        if i < 0:
            return ""
        start, size, name = self.symbols[i]
        offset = address - start
        if offset >= (size or FAR):
            return ""
        return f"{name}+{offset:#x}" if offset else name
