#!/usr/bin/env python3
"""Writes the fuzzers' first inputs into a folder: seeds.py DIR gives DIR/NAME/*."""

import struct
import sys
from pathlib import Path


def fat_disk(spc: int) -> bytes:
    """A FAT32 disk of 40 sectors or so with one short and one long file name in a directory."""
    clusters = 16
    total = 4 + clusters * spc
    disk = bytearray((1 + total) * 512)
    struct.pack_into("<4xB3xII", disk, 446, 0x0C, 1, total)
    struct.pack_into("<H", disk, 510, 0xAA55)
    boot = 512
    struct.pack_into("<HBHB", disk, boot + 11, 512, spc, 2, 2)
    struct.pack_into("<II", disk, boot + 32, total, 1)
    struct.pack_into("<I", disk, boot + 44, 2)
    struct.pack_into("<H", disk, boot + 510, 0xAA55)
    end = 0x0FFFFFFF
    fat = [0x0FFFFFF8, end, end, end, 6, end, 7, 5, end]
    for copy in (0, 1):
        struct.pack_into(f"<{len(fat)}I", disk, (3 + copy) * 512, *fat)

    def entry(cluster: int, index: int, name: bytes, attr: int, first: int, size: int) -> None:
        at = (5 + (cluster - 2) * spc) * 512 + index * 32
        struct.pack_into("<11sB8xH4xHI", disk, at, name, attr, first >> 16, first & 0xFFFF, size)

    short = b"ALONGF~1   "
    checksum = 0
    for c in short:
        checksum = ((checksum >> 1 | checksum << 7) + c) & 0xFF
    text = "a long file name\0".ljust(26, "\uffff").encode("utf-16-le")
    for index, order in enumerate((0x42, 0x01)):
        piece = text[((order & 0x3F) - 1) * 26 :][:26]
        at = (5 + spc) * 512 + index * 32
        struct.pack_into("<B10sBBB12sH4s", disk, at, order, piece[:10], 0x0F, 0, checksum, piece[10:22], 0,
                         piece[22:])
    entry(2, 0, b"DIR        ", 0x10, 3, 0)
    entry(2, 1, b"A          ", 0x20, 8, 200)
    entry(3, 2, short, 0x20, 4, 3 * spc * 512 + 5)
    return bytes(disk)


CONFIGS = [
    b"""[pxhv]
quiet = yes
[vm debian]
kernel  = vmlinuz ; a comment
initrd  = initrd.img
cmdline = "console=ttyS0 ; quiet"
memory  = 256M
cpus    = 2
console = vga
debug-exit = no
on-crash = restart
""",
    b"\xef\xbb\xbf[vm a]\r\nflat = f@0x7C00:16\r\n[vm b]\r\nmultiboot = m\r\n# c\r\n[vm c]\r\nfirmware=b\r\n",
    b"[vm x]\nmemroy = 1G\nkernel\ncpus = 99\n[vm x]\n[pxvh]\n",
]


# A DMA command (read 12 bytes of the item 20h to 1000h), then accesses: the selector, the data port, that command.
FW_CFG = [
    struct.pack(">IIQ", 0x20 << 16 | 10, 12, 0x1000) + bytes(4) + struct.pack("<BI", 0x40, 0x19) + b"\x21\0\0\0\0" * 80 +
    struct.pack("<BI", 0x84, 0) + struct.pack("<BI", 0x88, 0),
]


def virtio_input(requests: list[tuple[int, int, int]], indirect: bool) -> bytes:
    """Steps of fuzz_virtio.c: requests (type, sector, bytes) of three descriptors each, then the notification."""

    def memory(at: int, data: bytes) -> bytes:
        return b"".join(bytes([2 | (32 - len(piece)) << 3, at + i >> 8, at + i & 0xFF]) + piece
                        for i in range(0, len(data), 31) if (piece := data[i:i + 31]))

    steps, table = b"", 0x800 if indirect else 0
    for n, (kind, sector, size) in enumerate(requests):
        write = 2 if kind in (0, 8) else 0
        chain = [(0x200, 16, 1, 1), (0xE00, size, 1 | write, 2), (0x300, 1, 2, 0)]
        steps += memory(table, b"".join(struct.pack("<QIHH", *d) for d in chain))
        if indirect:
            steps += memory(0, struct.pack("<QIHH", table, 48, 4, 0))
        steps += memory(0x200, struct.pack("<QQ", kind, sector))
        steps += memory(0x80, struct.pack("<HHH", 0, n + 1, 0)) + b"\x05\x06"
    return steps


VIRTIO = [
    virtio_input([(0, 1, 512), (1, 2, 1024), (4, 0, 0), (8, 0, 20), (11, 0, 16), (3, 0, 0)], False),
    virtio_input([(0, 1, 512), (1, 7, 512), (0, 8, 512)], True),
    b"\x0f" + virtio_input([(0, 1, 512), (1, 7, 512), (4, 0, 0)], True),
]


def packet(text: str) -> bytes:
    """GDB's frame around a command."""
    return f"${text}#{sum(text.encode()) & 0xFF:02x}".encode()


GDB = [b"".join(map(packet, commands)) for commands in (
    ["qSupported:swbreak+", "qXfer:features:read:target.xml:0,ffb", "qXfer:memory-map:read::0,ffb", "?", "g", "Hg1"],
    ["m1000,40", "M1000,2:90cc", "X1000,2:ab", "p10", "P10=0000000000000000", "qRcmd,68656c70", "T1", "D"],
    ["Z0,1000,1", "Z1,2000,1", "Z2,3000,4", "z0,1000,1", "vCont?", "vCont;s:1;c", "k"],
    ["c1000", "S05;1000", "qC", "qfThreadInfo", "qThreadExtraInfo,1", "QStartNoAckMode", "vKill;1"],
)]


def kernel(wide: bool, flags: int | None) -> bytes:
    """A small ELF file with one segment, a note, and a Multiboot header unless flags is None."""
    note = struct.pack("<III4sI", 4, 4, 18, b"Xen", 0x100040)
    code = b"\x90" * 64 + note
    if flags is not None:
        addresses = struct.pack("<5I", 0x100000, 0x100000, 0, 0, 0x100000)
        code = struct.pack("<3I", 0x1BADB002, flags, -(0x1BADB002 + flags) & 0xFFFFFFFF) + addresses + code
    at, n = 192, len(code)
    if wide:
        head = struct.pack("<4s12BHHIQQQIHHH", b"\x7fELF", 2, 1, 1, *[0] * 9, 2, 62, 1, 0x100000, 64, 0, 0, 64, 56, 2)
        head += bytes(64 - len(head))
        for kind, start, size in ((1, at, n), (4, at + n - len(note), len(note))):
            head += struct.pack("<II6Q", kind, 7, start, 0x100000, 0x100000, size, size + 64, 4)
    else:
        head = struct.pack("<4s12BHHIIIIIHHH", b"\x7fELF", 1, 1, 1, *[0] * 9, 2, 3, 1, 0x100000, 52, 0, 0, 52, 32, 2)
        head += bytes(52 - len(head))
        for kind, start, size in ((1, at, n), (4, at + n - len(note), len(note))):
            head += struct.pack("<8I", kind, start, 0x100000, 0x100000, size, size + 64, 7, 4)
    return head.ljust(at, b"\0") + code


def main() -> None:
    root = Path(sys.argv[1])
    seeds = {"fat": [fat_disk(1), fat_disk(2)], "config": CONFIGS, "fw_cfg": FW_CFG, "virtio": VIRTIO, "gdb": GDB,
             "multiboot": [kernel(w, f) for w in (False, True) for f in (None, 3, 0x10003)]}
    for name, inputs in seeds.items():
        folder = root / name
        folder.mkdir(parents=True, exist_ok=True)
        for i, data in enumerate(inputs):
            (folder / str(i)).write_bytes(data)


main()
