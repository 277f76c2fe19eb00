#!/usr/bin/env python3
"""Bytes of the image by folder, from the linker's map, and whether the whole is within its goal."""

import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

GOAL = 64_000
KINDS = ("text", "rodata", "data")
SECTIONS = {".boot16": "text", ".text": "text", ".rodata": "rodata", ".data": "data"}
PIECE = re.compile(r"^ \.?(\S+)\s+0x[0-9a-f]+\s+(0x[0-9a-f]+) (\S+\.o)$", re.MULTILINE)


def section_sizes(elf: Path) -> dict[str, int]:
    """Bytes of each kind as they stand in the image, padding included."""
    sizes = defaultdict(int)
    out = subprocess.run(["size", "-A", "-d", str(elf)], check=True, capture_output=True, text=True).stdout
    for line in out.splitlines():
        words = line.split()
        if words and words[0] in SECTIONS:
            sizes[SECTIONS[words[0]]] += int(words[1])
        elif words and words[0] == ".bss":
            sizes["bss"] = int(words[1])
    return sizes


def folder_sizes(elf: Path) -> dict[str, dict[str, int]]:
    """Bytes of each kind by the folder of the object that they came from."""
    text = elf.with_suffix(".map").read_text().partition("Linker script and memory map")[2]
    text = re.sub(r"(?m)^( \S+)\n +(?=0x)", r"\1 ", text)  # long section names stand on a line of their own
    folders = defaultdict(lambda: defaultdict(int))
    for name, size, path in PIECE.findall(text):
        kind = {"boot16": "text", "symbols": "rodata", "fixup": "rodata"}.get(name, name.split(".")[0])
        if kind in KINDS:
            folder = str(Path(path).resolve().relative_to(elf.resolve().parent).parent)
            folders["symbol table" if folder == "." else folder][kind] += int(size, 16)
    return folders


def main() -> int:
    elf = Path(sys.argv[1])
    sections = section_sizes(elf)
    print(f"{'':14}" + "".join(f"{kind:>9}" for kind in (*KINDS, "all")))
    for folder, sizes in sorted(folder_sizes(elf).items()):
        print(f"{folder:14}" + "".join(f"{sizes[kind]:9}" for kind in KINDS) + f"{sum(sizes.values()):9}")
    total = sum(sections[kind] for kind in KINDS)
    print(f"{'with padding':14}" + "".join(f"{sections[kind]:9}" for kind in KINDS) + f"{total:9}")
    verdict = "within" if total <= GOAL else "OVER"
    print(f"{total} bytes of text, rodata and data: {verdict} the goal of {GOAL}; bss takes {sections['bss']} more in RAM")
    return 0 if total <= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
