#!/usr/bin/env python3
"""Prints the bench guest's figures beside KVM's, Xen's and pxHV's goals; exit status 1 when VT-x misses one.

A second log is AMD-V's, under QEMU counting instructions: a column for comparison, since KVM, Xen and the goals
are VT-x's.

The figures are TSC ticks under Bochs, model corei7_skylake_x, where a tick is one instruction. KVM is Debian's
kernel 6.1, its best case with mitigations=off; Xen is 4.17 with spec-ctrl=no. A virtio-blk read includes the copy (512
ticks for 4 KiB by REP MOVSQ) and its interrupt up to the EOI.
"""
import re
import sys

# name in the log, what it is, KVM, KVM best, Xen best, goal (None: no goal, shown for information)
TABLE = [
    ("cpuid", "CPUID leaf 0", 1072, 976, 902, 100),
    ("hypercall", "VMCALL/VMMCALL no-op", 1111, 1015, 898, 90),
    ("rdmsr_apic_base", "RDMSR APIC_BASE", 1190, 1094, 802, 130),
    ("wrmsr_tsc_deadline", "WRMSR TSC_DEADLINE", 1388, 1292, 1719, 250),
    ("out_pic", "OUT to the PIC (0x21)", 2262, 2158, 1305, 200),
    ("in_pic", "IN from the PIC (0x21)", None, None, None, None),
    ("out_uart", "OUT to a device model", 7407, 3109, 28245, 200),
    ("in_uart", "IN from a device model", None, None, None, None),
    ("in_unclaimed", "IN from an unclaimed port", None, None, None, None),
    ("ioapic_write", "MMIO write, IOAPIC", 7937, 3649, 13586, 500),
    ("ioapic_read", "MMIO read, IOAPIC", None, None, None, None),
    ("xapic_eoi", "xAPIC EOI", 8073, 3786, 2, 2),
    ("x2apic_self_ipi", "x2APIC self-IPI + ISR + EOI", 4257, 4069, 733, 733),
    ("hlt_lateness", "HLT until the timer, lateness", 19255, 10676, 6228, 2000),
    ("virtio_read_4k", "virtio-blk read of 4 KiB", None, None, None, 3000 + 512),
    ("virtio_read_1m", "virtio-blk read of 1 MiB", None, None, None, 131072 * 6 // 5),
    ("page_touch", "first touch of a 4K page", 3364, 3224, None, 0),
]


def parse(text):
    """Figures by name; a log without "bench done" is of a guest that did not get to its end."""
    figures = {name: int(ticks) for name, ticks in re.findall(r"^bench (\w+) (\d+)\s*$", text, re.M)}
    return figures, re.search(r"^bench done", text, re.M) is not None


def report(figures, svm):
    """The table as lines, and the names of the goals missed."""
    missed = []
    lines = [f"{'round trip, in ticks':32}{'KVM':>8}{'KVM best':>10}{'Xen best':>10}{'goal':>8}{'pxHV':>8}{'AMD-V':>8}"]
    for name, what, kvm, kvm_best, xen, goal in TABLE:
        got = figures.get(name)
        # The page's own MOV is one tick on a bare CPU too.
        bad = goal is not None and (got is None or got > goal + (name == "page_touch"))
        if bad:
            missed.append(name)
        row = zip((kvm, kvm_best, xen, goal, got, svm.get(name)), (8, 10, 10, 8, 8, 8))
        cells = [f"{'-' if v is None else v:>{w}}" for v, w in row]
        lines.append(f"{what:32}{''.join(cells)}{'  MISSED' if bad else ''}")
    return lines, missed


def read(path):
    with open(path, encoding="latin-1") as log:
        return parse(log.read().replace("\r", ""))


def main():
    if len(sys.argv) not in (2, 3):
        print("usage: report.py SERIAL_LOG [SERIAL_LOG_OF_AMD_V]", file=sys.stderr)
        return 2
    figures, done = read(sys.argv[1])
    svm, svm_done = read(sys.argv[2]) if len(sys.argv) == 3 else ({}, True)
    lines, missed = report(figures, svm)
    print("\n".join(lines))
    if not (done and svm_done):
        print("The bench guest did not reach its end.")
    if missed:
        print("Missed: " + ", ".join(missed))
    return 1 if missed or not (done and svm_done) else 0


if __name__ == "__main__":
    sys.exit(main())
