#!/usr/bin/env python3
"""Writes the hypervisor's own symbol table as NASM source: text symbols of an ELF file, sorted by address.

The table (u32 addresses, u16 offsets into the names) is what host/symbols.c searches for backtraces.
"""

import subprocess
import sys


def main() -> int:
    out = subprocess.run(["nm", "--defined-only", "-n", sys.argv[1]], check=True, capture_output=True, text=True)
    symbols = []
    for line in out.stdout.splitlines():
        addr, kind, name = line.split()
        if kind in "tT" and "." not in name:
            symbols.append((int(addr, 16), name))
    print("section .symbols align=4\nglobal symbol_count, symbol_addrs, symbol_offsets, symbol_names")
    print(f"symbol_count: dd {len(symbols)}\nsymbol_addrs:")
    for addr, _ in symbols:
        print(f"\tdd {addr:#x}")
    print("symbol_offsets:")
    offset = 0
    for _, name in symbols:
        print(f"\tdw {offset}")
        offset += len(name) + 1
    print("symbol_names:")
    for _, name in symbols:
        print(f'\tdb "{name}", 0')
    return 0


sys.exit(main())
