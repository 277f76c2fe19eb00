#!/usr/bin/env python3
"""Bytes of an image by folder, from its symbols and their source files; and of that and the core, whether they are within
their goals: size.py pxhv.elf core/pxhv.elf."""

import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

GOALS = {"pxHV": 86_000, "the core": 64_000}
KINDS = ("text", "rodata", "data")
SECTIONS = {".boot16": "text", ".text": "text", ".rodata": "rodata", ".data": "data", ".symbols": "symbols", ".bss": "bss"}
# address, size where there is one, name, source file
SYMBOL = re.compile(r"^(\w+)(?: (\w+))? [tTrRdD] \S+(?:\t.*((?:boot|hv)/[\w/]+)\.\w+:\d+)?$", re.MULTILINE)


def section_sizes(elf: Path) -> tuple[dict[str, int], list[tuple[str, int, int]]]:
    """Bytes of each kind as they stand in the image, padding included; and where each section lies."""
    sizes, places = defaultdict(int), []
    out = subprocess.run(["size", "-A", "-d", str(elf)], check=True, capture_output=True, text=True).stdout
    for line in out.splitlines():
        words = line.split()
        if words and words[0] in SECTIONS:
            kind, size, start = SECTIONS[words[0]], int(words[1]), int(words[2])
            sizes[kind] += size
            places.append((kind, start, start + size))
    return sizes, places


def folder_sizes(elf: Path) -> dict[str, dict[str, int]]:
    """Bytes of each kind by folder. Code goes on to the next symbol. Link-time optimization leaves most tables without a
    source file; what has no symbol in rodata are strings."""
    sizes, places = section_sizes(elf)
    out = subprocess.run(["nm", "-S", "-l", "-n", str(elf)], check=True, capture_output=True, text=True).stdout
    found = [(int(addr, 16), int(size or "0", 16), file) for addr, size, file in SYMBOL.findall(out)]
    folders = defaultdict(lambda: defaultdict(int))
    for kind, start, end in places:
        inside = [s for s in found if start <= s[0] < end]
        for (addr, size, file), following in zip(inside, [*inside[1:], (end, 0, "")]):
            if kind in KINDS:
                count = following[0] - addr if kind == "text" else size
                folders[str(Path(file).parent) if file else "(tables)"][kind] += count
    folders["(strings)"]["rodata"] = sizes["rodata"] - sum(f["rodata"] for f in folders.values())
    return folders


def print_table(elf: Path) -> None:
    sizes, _ = section_sizes(elf)
    print(f"{'':14}" + "".join(f"{kind:>9}" for kind in (*KINDS, "all")))
    for folder, kinds in sorted(folder_sizes(elf).items()):
        print(f"{folder:14}" + "".join(f"{kinds[kind]:9}" for kind in KINDS) + f"{sum(kinds.values()):9}")
    print(f"{'with padding':14}" + "".join(f"{sizes[kind]:9}" for kind in KINDS) + f"{sum(sizes[k] for k in KINDS):9}")
    print(f"{'symbol table':14}{sizes['symbols']:36}")


def main() -> int:
    print_table(Path(sys.argv[1]))
    over = 0
    for (name, goal), elf in zip(GOALS.items(), sys.argv[1:]):
        sizes, _ = section_sizes(Path(elf))
        total = sum(sizes[kind] for kind in KINDS)
        over |= total > goal
        print(f"{name}: {total} bytes of text, rodata and data, {'OVER' if total > goal else 'within'} the goal of {goal}; bss "
              f"takes {sizes['bss']} more in RAM")
    return int(over)


if __name__ == "__main__":
    sys.exit(main())
