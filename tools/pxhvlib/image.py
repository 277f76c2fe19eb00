"""Builds the boot disk: boot sector, hypervisor in the gap before the partition, one FAT32 partition.

The same input gives the same bytes, so images can be compared and cached.
"""

import os
import struct
import subprocess
import tempfile
import zlib
from pathlib import Path, PurePosixPath

from .files import BOOT_SIGNATURE, CODE_SIZE, DISK_SIGNATURE, PARTITION_START, SECTOR
from .guest import BootFiles
from .project import need_program, size_text
from .status import PxhvError, UsageError

VOLUME_ID = "70784856"
FAT32_LBA = 0x0C
EPOCH = "1700000000"  # of every file on the partition

# FAT32 begins at 65525 clusters: 33 MiB with clusters of one sector. The rest is room for the user's own files.
MIN_FAT32 = 34 << 20
MIN_PARTITION = 64 << 20
SPARE = 16 << 20
MAX_IMAGE = 1 << 40  # beyond it FAT32 has not the numbers for clusters of 4 KiB
MAX_FILE = (1 << 32) - 1  # bytes of a file on FAT32
PADDED = 1440 << 10  # bytes of the floppy that a boot sector alone becomes
BIG = 300 << 20  # from here on clusters of 4 KiB give clusters enough


def chs(lba: int) -> bytes:
    """The partition table's form of an LBA for 255 heads and 63 sectors; past its end, the agreed FE FF FF."""
    cylinder, rest = divmod(lba, 255 * 63)
    if cylinder > 1023:
        return b"\xfe\xff\xff"
    head, sector = divmod(rest, 63)
    return bytes([head, (cylinder >> 8) << 6 | (sector + 1), cylinder & 0xFF])


def mark(hypervisor: bytes, boot: BootFiles) -> bytes:
    """Two bytes that tell boot disks of other content apart: pxHV knows its own among the PC's drives by the boot sector."""
    content = [zlib.crc32(hypervisor), boot.config, *((name, source.stat().st_size) for name, source in sorted(boot.files.items()))]
    return struct.pack("<H", zlib.crc32(ascii(content).encode()) & 0xFFFF)


def boot_sector(mbr: bytes, own: bytes, sectors: int) -> bytes:
    """The MBR: mbr's code, the disk's own mark, and one active FAT32 partition of that many sectors."""
    if len(mbr) != SECTOR or not mbr.endswith(BOOT_SIGNATURE):
        raise PxhvError("mbr.bin is not a boot sector")
    last = PARTITION_START + sectors - 1
    entry = b"\x80" + chs(PARTITION_START) + bytes([FAT32_LBA]) + chs(last)
    entry += struct.pack("<II", PARTITION_START, sectors)
    return mbr[:CODE_SIZE] + DISK_SIGNATURE + own + entry.ljust(64, b"\0") + BOOT_SIGNATURE


def run(*command: str) -> None:
    """Runs one of the FAT tools with a fixed clock and nobody's configuration."""
    env = os.environ | {"SOURCE_DATE_EPOCH": EPOCH, "TZ": "UTC", "MTOOLSRC": "/dev/null", "LC_ALL": "C.UTF-8"}
    done = subprocess.run([need_program(command[0]), *command[1:]], env=env, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL)
    if done.returncode:
        raise PxhvError(f"{command[0]} failed: {(done.stderr or done.stdout).strip()}")


def partition_size(boot: BootFiles, image_size: int | None) -> int:
    """Bytes for the partition: what is left of an image of that size; with None, whole MiB that give room to spare."""
    sizes = {f: f.stat().st_size for f in boot.files.values()}
    for f, size in sizes.items():
        if size > MAX_FILE:
            raise UsageError(f"{f} has 4 GiB or more, which no file of a FAT32 partition can have")
    content = sum(sizes[f] + 4096 for f in boot.files.values()) + len(boot.padded) * PADDED + len(boot.config)
    least = (content * 33 // 32 + 0xFFFFF) & ~0xFFFFF
    gap = PARTITION_START * SECTOR
    size = max(MIN_PARTITION, least + SPARE) if image_size is None else image_size - gap
    least = max(MIN_FAT32, least)
    if size < least:  # never without an image_size
        raise UsageError(f"--size {size_text(image_size)} is too small: the least for these files is {size_text(least + gap)}")
    if size + gap > MAX_IMAGE:
        raise UsageError(f"a boot disk has at most {MAX_IMAGE >> 30}G, not {size_text(size + gap)}")
    return size


def fill(disk: Path, boot: BootFiles) -> None:
    """Copies the config and the guests' files into the partition."""
    fs = f"{disk}@@{PARTITION_START * SECTOR}"
    with tempfile.NamedTemporaryFile(prefix="pxhv-", suffix=".conf") as conf:
        conf.write(boot.config)
        conf.flush()
        run("mcopy", "-i", fs, conf.name, "::pxhv.conf")
    folders = {str(p) for name in boot.files for p in PurePosixPath(name).parents if str(p) != "."}
    for folder in sorted(folders):
        run("mmd", "-i", fs, f"::{folder}")
    for name, source in sorted(boot.files.items()):
        if name in boot.padded:
            with tempfile.NamedTemporaryFile(prefix="pxhv-") as floppy:
                floppy.write(source.read_bytes())
                floppy.truncate(PADDED)
                run("mcopy", "-i", fs, floppy.name, f"::{name}")
        else:
            run("mcopy", "-i", fs, str(source.resolve()), f"::{name}")


def build(disk: Path, mbr: bytes, hypervisor: bytes, boot: BootFiles, image_size: int | None = None) -> None:
    """Writes the disk image; an old file of that name is replaced, and only by a whole one."""
    room = (PARTITION_START - 1) * SECTOR
    if len(hypervisor) > room:
        raise PxhvError(f"the hypervisor has {len(hypervisor)} bytes, the gap before the partition {room}")
    size = partition_size(boot, image_size)
    new = disk.with_name(f"{disk.name}.{os.getpid()}.new")  # a name that no file of the user's has
    try:
        f = open(new, "wb")
    except OSError as e:
        raise UsageError(f"cannot write {disk}: {e.strerror}") from e
    try:
        with f:
            f.write(boot_sector(mbr, mark(hypervisor, boot), size // SECTOR))
            f.write(hypervisor)
            f.truncate(PARTITION_START * SECTOR + size)
        run("mkfs.fat", "--invariant", "-F", "32", "-s", "1" if size < BIG else "8", "-n", "PXHV", "-i", VOLUME_ID,
            "-h", str(PARTITION_START), f"--offset={PARTITION_START}", str(new), str(size // 1024))
        fill(new, boot)
        new.replace(disk)
    except OSError as e:
        raise PxhvError(f"cannot write {disk}: {e.strerror}") from e
    finally:
        new.unlink(missing_ok=True)
