#!/usr/bin/env python3
"""Writes the hypervisor's own symbol table as NASM source: text symbols of an ELF file, sorted by address.

host/symbols.c walks it for backtraces: for each symbol the bytes (u16) since the one before, the first counted
from the start of the image, and its name; a distance of FFFFh ends it.
"""

import subprocess
import sys


def main() -> int:
    out = subprocess.run(["nm", "--defined-only", "-n", sys.argv[1]], check=True, capture_output=True, text=True)
    symbols = [line.split() for line in out.stdout.splitlines()]
    last = next(int(addr, 16) for addr, _, name in symbols if name == "__image_start")
    last_name = "__text_end"
    print("section .symbols\nglobal symbols\nsymbols:")
    for addr, kind, name in symbols:
        name = name.partition(".")[0]  # the rest says what the compiler did, or is a label inside of a function
        if kind in "tT" and name not in (last_name, "__text_end"):
            print(f'\tdw {int(addr, 16) - last}\n\tdb "{name}", 0')
            last, last_name = int(addr, 16), name
    print("\tdw 0xFFFF")
    return 0


sys.exit(main())
