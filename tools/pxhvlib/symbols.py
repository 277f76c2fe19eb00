"""Names for a guest's code addresses, from its ELF file (vmlinux) or a System.map."""

import bisect
import re
import struct
from pathlib import Path

from .status import UsageError

SHT_SYMTAB, SHT_STRTAB, SHT_NOBITS = 2, 3, 8
SHF_ALLOC, SHF_EXECINSTR = 2, 4
STB_GLOBAL = 1
ET_EXEC, EM_X86_64 = 2, 62
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
            if symbols and not any(address for address, _, _ in symbols):
                raise UsageError(f"{path} has addresses of 0 alone: /proc/kallsyms shows the real ones to root")
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

    def elf(self) -> bytes:
        """An ELF file for GDB: the symbols as functions of one section of code, whose content is only in the guest."""
        start, end = self.addresses[0], self.addresses[-1] + FAR
        names, table = bytearray(b"\0.code\0.symtab\0.strtab\0"), bytearray(24)
        for address, size, name in self.symbols:
            table += struct.pack("<IBBHQQ", len(names), STB_GLOBAL << 4 | STT_FUNC, 0, 1, address, size)
            names += name.encode() + b"\0"
        sections = [(0,) * 10, (1, SHT_NOBITS, SHF_ALLOC | SHF_EXECINSTR, start, 64, end - start, 0, 0, 16, 0),
                    (7, SHT_SYMTAB, 0, 0, 64, len(table), 3, 1, 8, 24), (15, SHT_STRTAB, 0, 0, 64 + len(table), len(names), 0, 0, 1, 0)]
        header = struct.pack("<4s5B7xHHIQQQIHHHHHH", b"\x7fELF", 2, 1, 1, 0, 0, ET_EXEC, EM_X86_64, 1, 0, 0,
                             64 + len(table) + len(names), 0, 64, 0, 0, 64, len(sections), 3)
        return header + table + names + b"".join(struct.pack("<IIQQQQIIQQ", *section) for section in sections)
