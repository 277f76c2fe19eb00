"""The engines and the choice among them."""

from pathlib import Path

from . import bochs, qemu
from .emulator import Emulator, Machine
from .project import find_program

ENGINES = ("kvm", "bochs", "qemu")


def cpu_virtualization() -> str:
    """ "vmx", "svm" or "" by this PC's /proc/cpuinfo."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("flags"):
                flags = line.split()
                return "vmx" if "vmx" in flags else "svm" if "svm" in flags else ""
    except OSError:
        pass
    return ""


def kvm_problem() -> str:
    """Why KVM cannot run the hypervisor on this PC, "" when it can."""
    module = {"vmx": "kvm_intel", "svm": "kvm_amd"}.get(cpu_virtualization())
    if not module:
        return "the CPU shows neither VT-x (vmx) nor AMD-V (svm): absent, or off in the firmware setup"
    try:
        with open("/dev/kvm", "r+b", buffering=0):
            pass
    except FileNotFoundError:
        return f"/dev/kvm is missing: modprobe {module}"
    except OSError as e:
        return f"/dev/kvm: {e.strerror} (are you in the group 'kvm'?)"
    try:
        nested = Path(f"/sys/module/{module}/parameters/nested").read_text().strip()
    except OSError:
        return f"{module} does not say whether it can nest"
    if nested not in ("Y", "1"):
        return f"nested virtualization is off: modprobe -r {module} && modprobe {module} nested=1"
    if not find_program(qemu.PROGRAM):
        return f"{qemu.PROGRAM} is missing"
    return ""


def choose(cpu: str) -> str:
    """The engine for --engine auto: KVM where it can nest, else QEMU, which emulates AMD-V in software and is quick.

    A CPU model that Bochs knows by that name asks for Bochs, which emulates VT-x; so does a PC that has nothing else.
    """
    has_bochs = bool(find_program("bochs"))
    if has_bochs and (cpu in bochs.models() if cpu else not find_program(qemu.PROGRAM)):
        return "bochs"
    return "qemu" if kvm_problem() else "kvm"


def start(engine: str, machine: Machine) -> Emulator:
    """Boots the machine on the engine of that name."""
    if engine == "bochs":
        return bochs.start(machine)
    return qemu.start(machine, kvm=engine == "kvm")
