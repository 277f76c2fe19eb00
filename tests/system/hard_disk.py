"""Disk images for tests: partition tables, and a hard disk that FreeDOS boots from."""

import os
import struct
import subprocess
from pathlib import Path

SECTOR = 512
START = 2048  # sectors: where a first partition begins
GRUB = Path("/usr/lib/grub/i386-pc")
ENV = os.environ | {"PATH": os.environ["PATH"] + ":/usr/sbin:/sbin", "MTOOLS_SKIP_CHECK": "1"}


def run(*command) -> None:
    subprocess.run(list(map(str, command)), check=True, capture_output=True, env=ENV)


def mbr(*partitions: tuple[int, int, int], code: bytes = b"") -> bytes:
    """A sector with a partition table of (type, start, sectors)."""
    table = b"".join(b"\0\xfe\xff\xff" + bytes([kind]) + b"\xfe\xff\xff" + struct.pack("<II", start, sectors)
                     for kind, start, sectors in partitions)
    return code[:440].ljust(446, b"\0") + table.ljust(64, b"\0") + b"\x55\xaa"


def gpt(*partitions: tuple[int, int]) -> bytes:
    """The first 34 sectors of a disk with partitions of (first, last)."""
    entries = b"".join(b"\xa2" * 16 + bytes([n] * 16) + struct.pack("<QQQ", first, last, 0) + bytes(72) if first else bytes(128)
                       for n, (first, last) in enumerate(partitions))
    header = b"EFI PART" + struct.pack("<IIIIQQQQ16sQIII", 0x10000, 92, 0, 0, 1, 0, 34, 0, b"disk", 2, 128, 128, 0)
    return mbr((0xEE, 1, 0xFFFFFFFF)) + header.ljust(SECTOR, b"\0") + entries.ljust(32 * SECTOR, b"\0")


def write_at(image: Path, sector: int, data: bytes) -> None:
    with open(image, "r+b") as f:
        f.seek(sector * SECTOR)
        f.write(data)


def read_at(image: Path, sector: int, size: int) -> bytes:
    with open(image, "rb") as f:
        f.seek(sector * SECTOR)
        return f.read(size)


def freedos(image: Path, floppy: Path, mib: int = 24) -> Path:
    """A FAT16 partition with FreeDOS from the floppy's image, started by GRUB."""
    sectors = mib << 11
    core, files = image.with_suffix(".core"), image.with_suffix(".files")
    files.mkdir()
    (files / "grub.cfg").write_text("set root=(hd0,msdos1)\nfreedos /KERNEL.SYS\nboot\n")
    run("grub-mkimage", "-O", "i386-pc", "-p", "/", "-c", files / "grub.cfg", "-o", core,
        "biosdisk", "part_msdos", "fat", "freedos", "boot")
    with open(image, "wb") as f:
        f.write(mbr((0x0E, START, sectors - START), code=(GRUB / "boot.img").read_bytes()))
        f.write(core.read_bytes())
        f.truncate(sectors * SECTOR)
    run("mkfs.fat", "-F", "16", "-g", "255/63", "-D", "0x80", "-h", START, f"--offset={START}", image, (sectors - START) // 2)
    (files / "AUTOEXEC.BAT").write_text("echo ready\r\n")
    for name in ("KERNEL.SYS", "COMMAND.COM", "AUTOEXEC.BAT"):
        if not (files / name).exists():
            run("mcopy", "-i", floppy, f"::{name}", files / name)
        run("mcopy", "-i", f"{image}@@{START * SECTOR}", files / name, f"::{name}")
    return image
