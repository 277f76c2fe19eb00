"""What runs where, and what it must say: the one table of the system tests."""

import re
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Guest:
    """A flat guest: its image below the build folder, where it goes, and what comes of it."""

    image: str
    place: str  # "ADDR:BITS"
    status: int = 0
    prints: list[str] = field(default_factory=list)  # regular expressions, in this order


GUESTS = {
    "hello16": Guest("guest/hello16.bin", "0x7C00:16", prints=["Hello from real mode"]),
    "hello64": Guest("guest/hello64.bin", "0x100000:64", prints=[
        "Hello from long mode", "CPU vendor: +(GenuineIntel|AuthenticAMD)", "Hypervisor: +pxHVpxHVpxHV", r"Time \(UTC\): +\d\d:\d\d"]),
    "hypercall": Guest("guest/hypercall.bin", "0x100000:64", prints=["ABC"]),
}


def test_guests() -> dict[str, Guest]:
    """The guests of tests/guests, as the comments at their heads describe them."""
    found = {}
    for source in sorted((ROOT / "tests" / "guests").glob("*.asm")):
        text = source.read_text()
        run = re.search(r"^; run: @(\S+)", text, re.MULTILINE)
        if not run:
            continue
        status = re.search(r"^; status: (\d+)", text, re.MULTILINE)
        prints = [re.escape(p) for p in re.findall(r"^; prints: (.+?)\s*$", text, re.MULTILINE)]
        found[source.stem] = Guest(f"tests/guests/{source.stem}.bin", run[1], int(status[1]) if status else 0, prints)
    return found


TEST_GUESTS = test_guests()

# Test guests that wait for somebody to type: what they say, and what is typed then.
ASKS_RESET = r"k, 9, c or q\?"
DIALOGUES = {
    "reboot": [(ASKS_RESET, key) for key in "k9cq"],
    "ioapic_uart": [("type a line:", "a line of text\r"), ("a line of text", "")],
}

# Test guests that fail on a machine by no fault of the hypervisor, and why.
NOT_THERE = {
    ("qemu", "ferr"): "TCG does not stand still at x87 errors",
    ("qemu", "msr_canonical"): "TCG takes an FS base that is not canonical",
    ("qemu", "pae"): "with nested paging AMD's CPUs look at these pointers when they walk, as at any entry",
}

# Which guests run where. "" is the engine's default CPU.
ALL = list(GUESTS)
LONG_MODE = ["hello64", "hypercall"]
MACHINES = {
    ("bochs", "corei5_lynnfield_750"): LONG_MODE,  # EPT without unrestricted guest
    ("bochs", "corei5_arrandale_m520"): ALL,
    ("bochs", "corei7_sandy_bridge_2600k"): ALL,
    ("bochs", "corei7_ivy_bridge_3770k"): ALL,
    ("bochs", "corei7_haswell_4770"): ALL,
    ("bochs", "broadwell_ult"): ALL,
    ("bochs", "corei3_cnl"): ALL,
    ("bochs", "corei7_skylake_x"): ALL,
    ("bochs", "corei7_icelake_u"): ALL,
    ("bochs", "zambezi"): ALL,  # AMD-V from here on
    ("bochs", "phenom_8650_toliman"): ALL,
    ("qemu", ""): ALL,
    ("qemu", "qemu64"): ALL,  # QEMU's own default
}

# Where all of tests/guests run.
TEST_MACHINES = [("bochs", "corei7_skylake_x"), ("qemu", "")]

# Where Linux comes up to its shell.
LINUX_MACHINES = [
    ("bochs", "corei5_lynnfield_750"),
    ("bochs", "corei5_arrandale_m520"),
    ("bochs", "corei7_ivy_bridge_3770k"),
    ("bochs", "zambezi"),
    ("qemu", ""),
]

# Where Linux works with disks.
DISK_MACHINES = [("bochs", "corei7_skylake_x"), ("qemu", "")]

# What drives hang on, by which a guest has disks.
DRIVES = [
    ("qemu", "", "ide"),
    ("qemu", "", "ahci"),
    ("qemu", "", "nvme"),
    ("qemu", "", "virtio"),
    ("bochs", "corei7_skylake_x", "usb"),
    ("qemu", "", "usb"),
    ("bochs", "corei7_skylake_x", "ide"),
]

# CPUs that cannot run it, and the sentence they get.
NO_LONG_MODE = "this CPU has no long mode"
NO_EPT = "lacks 'enable EPT'"
NO_SVM = r"no AMD-V \(CPUID 80000001h:ECX bit 2"
REFUSALS = {
    ("bochs", "core_duo_t2400_yonah"): NO_LONG_MODE,
    ("bochs", "atom_n270"): NO_LONG_MODE,
    ("bochs", "core2_penryn_t9600"): NO_EPT,
    ("bochs", "bx_generic"): NO_EPT,
    ("bochs", "turion64_tyler"): "(?i)nested paging",
    ("bochs", "athlon64_venice"): NO_SVM,
    ("bochs", "p4_prescott_celeron_336"): r"no VT-x \(CPUID\.1:ECX bit 5",
    ("qemu", "qemu64,-svm"): NO_SVM,
    ("qemu", "qemu64,-lm"): NO_LONG_MODE,
    ("qemu", "Skylake-Client"): r"no VT-x \(CPUID\.1:ECX bit 5",
}

# What QEMU boots the disk from; from the floppy as much as it holds.
MEDIA = ["ide", "ahci", "nvme", "virtio", "scsi", "usb", "ehci", "uhci", "floppy"]
FLOPPY_SIZE = 2880 << 10

# Configs with a mistake, and what is said of it.
FLAT = "flat = hello64.bin@0x100000:64"
BAD_CONFIGS = {
    "unknown key": (f"[vm a]\n{FLAT}\nmemroy = 64M\n", r"pxhv\.conf:3: unknown key 'memroy' \(did you mean 'memory'\?\)"),
    "unknown section": (f"[vn a]\n{FLAT}\n", r"pxhv\.conf:1: unknown section 'vn' \(did you mean 'vm'\?\)"),
    "no guest": ("\n[vm a]\nmemory = 64M\n", r"pxhv\.conf:2: \[vm a\] has no guest"),
    "no vm": ("; nothing here\n", r"no \[vm NAME\] section"),
    "bad address": ("[vm a]\nflat = hello64.bin@here:64\n", r"pxhv\.conf:2: flat must be FILE@ADDR"),
    "bad size": (f"[vm a]\n{FLAT}\nmemory = lots\n", r"pxhv\.conf:3: memory must be"),
    "given twice": (f"[vm a]\n{FLAT}\ncpus = 1\ncpus = 1\n", r"pxhv\.conf:4: 'cpus' is given twice"),
}
