"""Where things are: the source tree, the built hypervisor, and other people's programs."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from .status import PxhvError, UsageError

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ROOT / "tools" / "packages.txt"

# Debian keeps mkfs.fat where a plain user's PATH does not look.
SEARCH_PATH = os.environ.get("PATH", os.defpath) + ":/usr/local/sbin:/usr/sbin:/sbin"

# Which package has a program, for those whose names differ.
PACKAGE_OF = {
    "qemu-system-x86_64": "qemu-system-x86",
    "mkfs.fat": "dosfstools",
    "mcopy": "mtools",
    "mmd": "mtools",
    "iasl": "acpica-tools",
}


def find_program(name: str) -> str:
    """The path of a program, "" when this PC does not have it."""
    return shutil.which(name, path=SEARCH_PATH) or ""


def need_program(name: str) -> str:
    """The path of a program; PxhvError naming the package when it is missing."""
    path = find_program(name)
    if not path:
        package = PACKAGE_OF.get(name, name)
        raise PxhvError(f"{name} is missing: apt-get install {package} (or `make deps` for all that is needed)")
    return path


def packages(section: str) -> list[str]:
    """The apt packages of one section of tools/packages.txt."""
    names, current = [], ""
    for line in PACKAGES.read_text().splitlines():
        line = line.split("#")[0].strip()
        if line.startswith("["):
            current = line.strip("[]")
        elif line and current == section:
            names.append(line)
    return names


def hypervisor(build: Path) -> tuple[bytes, bytes]:
    """The boot sector and the hypervisor's image, built first when they are not there."""
    mbr, image = build / "mbr.bin", build / "pxhv.bin"
    if not (mbr.exists() and image.exists()):
        print(f"pxhv: {image} is not built yet, running make", file=sys.stderr)
        folder = os.path.relpath(build.parent if build.name == "core" else build, ROOT)  # make takes no name with a blank
        if len(folder.split()) != 1:
            raise UsageError(f"--build {build}: make builds in no folder whose name has a blank")
        what = [f"BUILD={folder}", "core" if build.name == "core" else "all"]
        done = subprocess.run([need_program("make"), "-C", str(ROOT), "--no-print-directory", *what], stdout=sys.stderr)
        if done.returncode:
            raise PxhvError(f"could not build the hypervisor (make ended with {done.returncode})")
    return mbr.read_bytes(), image.read_bytes()


def parse_size(option: str, text: str) -> int:
    """An option's "256M", "1G", "65536K" or plain number of MiB, as bytes."""
    m = re.fullmatch(r"(\d+)([KMG]?)", text.strip().upper())
    if not m:
        raise UsageError(f"{option}: '{text}' is not a size: say 256M or 1G")
    return int(m[1]) << {"K": 10, "": 20, "M": 20, "G": 30}[m[2]]


def size_text(size: int) -> str:
    """The shortest way to say that many bytes, a whole number of KiB, in the config."""
    return f"{size >> 20}M" if size % (1 << 20) == 0 else f"{size >> 10}K"
