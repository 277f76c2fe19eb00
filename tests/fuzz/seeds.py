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


def table(*partitions: tuple[int, int, int]) -> bytes:
    """A sector with a partition table of (type, start, sectors)."""
    entries = b"".join(struct.pack("<4xB3xII", *p) for p in partitions)
    return bytes(446) + entries.ljust(64, b"\0") + b"\x55\xaa"


PARTITIONS = [
    table((0x83, 1, 2), (0x05, 4, 50)) + bytes(3 * 512) + table((0x83, 1, 2), (0x05, 5, 9)) + bytes(4 * 512) + table((0x83, 1, 1)),
    table((0xEE, 1, 63)) + b"EFI PART" + bytes(64) + struct.pack("<QII", 2, 128, 128) + bytes(416) + b"\1" * 32 +
    struct.pack("<QQ", 34, 60),
]


def main() -> None:
    root = Path(sys.argv[1])
    seeds = {"fat": [fat_disk(1), fat_disk(2)], "config": CONFIGS, "fw_cfg": FW_CFG, "virtio": VIRTIO, "partition": PARTITIONS}
    for name, inputs in seeds.items():
        folder = root / name
        folder.mkdir(parents=True, exist_ok=True)
        for i, data in enumerate(inputs):
            (folder / str(i)).write_bytes(data)


main()
