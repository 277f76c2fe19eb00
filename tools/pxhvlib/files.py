"""The user's files: what is read must be there, what is written must not be what somebody needs, and which disks are pxHV's."""

import contextlib
import fcntl
import os
import stat
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

from .status import UsageError

SECTOR = 512
PARTITION_START = 2048  # sectors: 1 MiB, where every partitioning tool puts it
CODE_SIZE = 440  # the boot sector's own bytes; the disk signature follows
DISK_SIGNATURE = struct.pack("<I", 0x56487870)  # "pxHV"
BOOT_SIGNATURE = b"\x55\xaa"


def need_file(path: Path) -> Path:
    """path, of which UsageError says when it is no file."""
    if os.path.isdir(path):
        raise UsageError(f"{path} is a folder")
    if not os.path.exists(path):
        raise UsageError(f"no such file: {path}")
    if not os.path.isfile(path):
        raise UsageError(f"{path} is no regular file")
    return path


def need_writable(path: Path, instead: str) -> None:
    """UsageError for a disk that this user may not write, with what can be done."""
    if not os.access(path, os.W_OK):
        raise UsageError(f"{path} cannot be written; {instead}")


def check_output(output: Path, inputs: Iterable[Path]) -> None:
    """UsageError for an output that is one of the inputs, whatever their names are."""
    for source in inputs:
        try:
            found = os.stat(output)
            same = os.path.samestat(found, os.stat(source))
        except OSError:  # what is not there cannot be lost
            continue
        if same and not stat.S_ISCHR(found.st_mode):  # a terminal can be both
            raise UsageError(f"cannot write {output}: it is an input, too")


def disk_output(output: Path, inputs: Iterable[Path]) -> Path:
    """The file that a disk image is to replace, behind links; UsageError for what must not be replaced."""
    target = Path(os.path.realpath(output))
    if os.path.isdir(target):
        raise UsageError(f"cannot write {output}: it is a folder")
    if os.path.lexists(target) and not os.path.isfile(target):
        raise UsageError(f"cannot write {output}: it is no regular file. Write a file, then copy it to the stick with dd")
    check_output(output, inputs)
    return target


def is_boot_disk(path: Path) -> bool:
    """Whether `pxhv image` made this disk: by the mark in its boot sector, which image.py puts there."""
    try:
        with open(path, "rb") as f:
            sector = f.read(SECTOR)
            size = f.seek(0, os.SEEK_END)  # of a block device, too
    except OSError as e:
        raise UsageError(f"cannot read {path}: {e.strerror}") from e
    return size > PARTITION_START * SECTOR and sector.endswith(BOOT_SIGNATURE) and sector.startswith(DISK_SIGNATURE, CODE_SIZE)


@contextlib.contextmanager
def held(disks: Iterable[tuple[Path, bool]]) -> Iterator[None]:
    """Keeps the disks' files from other runs, whatever their emulators; UsageError where one has a file already. Those with
    True are only read, which many may."""
    with contextlib.ExitStack() as stack:
        for path, readonly in disks:
            try:
                fcntl.flock(stack.enter_context(open(path, "rb")), fcntl.LOCK_NB | (fcntl.LOCK_SH if readonly else fcntl.LOCK_EX))
            except OSError as e:
                raise UsageError(f"{path} is in use by another run" if isinstance(e, BlockingIOError) else
                                 f"cannot read {path}: {e.strerror}") from e
        yield
