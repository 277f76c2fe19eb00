"""VM exits: what a vendor's reasons are called, and what a record's detail says."""

import re

from .project import ROOT

LISTS = {"VT-x": "hv/vmx/exits_list.h", "AMD-V": "hv/svm/exits_list.h"}
# AMD-V has a code for each exception, most of which exit only while the guest is stepped through.
NOT_LISTED = {"VT-x": {33: "invalid guest state", 34: "MSR loading", 41: "machine-check event"}, "AMD-V": {0x400: "NPF"}}
EXCEPTIONS = {"VT-x": {}, "AMD-V": {0x40 + vector: f"EXCEPTION_{vector}" for vector in range(32)}}


def names(vendor: str) -> dict[int, str]:
    """Exit names by reason, from the list that the hypervisor is built of."""
    text = (ROOT / LISTS[vendor]).read_text()
    return EXCEPTIONS[vendor] | {int(n, 0): name for n, name in re.findall(r"\bX\((0x\w+|\d+), (\w+),", text)} | NOT_LISTED[vendor]


def port(number: int, is_in: int, is_string: int) -> str:
    return f"{'in' if is_in else 'out'}{'s' if is_string else ''} {number:#x}"


def vmx_cr(d: int) -> str:
    """SDM 3C table 28-3."""
    register = f"cr{d & 15}"
    return (f"mov to {register}", f"mov from {register}", "clts", "lmsw")[d >> 4 & 3]


# What the detail of an exit of that name is about, in few words. SDM 3C 28.2.1, APM 2 15.10.2.
DECODERS = {
    "IO_INSTRUCTION": lambda d: port(d >> 16 & 0xFFFF, d & 8, d & 16),
    "IOIO": lambda d: port(d >> 16 & 0xFFFF, d & 1, d & 4),
    "RDMSR": lambda d: f"rdmsr {d:#x}",
    "WRMSR": lambda d: f"wrmsr {d:#x}",
    "MSR": lambda d: f"{'wrmsr' if d >> 32 else 'rdmsr'} {d & 0xFFFFFFFF:#x}",
    "CR_ACCESS": vmx_cr,
    "EPT_VIOLATION": lambda d: f"memory {d:#x}",
    "NPF": lambda d: f"memory {d:#x}",
    "APIC_ACCESS": lambda d: f"apic {d & 0xFFF:#x}",
    "APIC_WRITE": lambda d: f"apic {d & 0xFFF:#x}",
    "EXTERNAL_INTERRUPT": lambda d: f"vector {d & 0xFF:#x}",
    "EXCEPTION_OR_NMI": lambda d: f"vector {d & 0xFF:#x}",
}


def what(name: str, detail: int) -> str:
    """The detail in words, "" where it says nothing."""
    return DECODERS[name](detail) if name in DECODERS else ""
