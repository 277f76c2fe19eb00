"""GDB commands for the hypervisor's own structures: pxhv-vcpu, pxhv-vmcb, pxhv-vmcs; and `bt` through the entry loops.

The field lists are read from the sources that define them, so nothing is listed here a second time.
"""

import re
from pathlib import Path

import gdb
import gdb.unwinder

HV = Path(__file__).resolve().parents[2] / "hv"
GPRS = "rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15".split()
SHOWN_EXITS = 16


def current_vcpu(arg: str) -> gdb.Value:
    """The vcpu that arg evaluates to, else the one of CPU 0."""
    v = gdb.parse_and_eval(f"(struct vcpu *)({arg})" if arg else "cpus[0].vcpu")
    if not int(v):
        raise gdb.GdbError("no vcpu runs on CPU 0 (yet)")
    return v


def is_svm(v: gdb.Value) -> bool:
    return int(v["ops"]) == int(gdb.parse_and_eval("&svm_ops"))


def exit_names(v: gdb.Value) -> dict[int, str]:
    path = "svm/exits_list.h" if is_svm(v) else "vmx/exits_list.h"
    names = {int(n, 0): name for n, name in re.findall(r"\bX\((0x\w+|\d+), (\w+),", (HV / path).read_text())}
    return names | ({0x400: "NPF"} if is_svm(v) else {})


def print_exits(v: gdb.Value) -> None:
    """The last lines of the exit ring, oldest first."""
    names = exit_names(v)
    ring, record = v["ring"], gdb.lookup_type("struct exit_record").sizeof
    size, count = ring.type.sizeof // record, int(v["ring_pos"]) * 8 // record
    counts = {name: int(v["exit_counts"][reason & 0xFF]) for reason, name in names.items()}
    print("exits: " + ", ".join(f"{n} {name}" for name, n in counts.items() if n))
    print(f"last of {count} exits:")
    for i in range(max(0, count - min(SHOWN_EXITS, size)), count):
        r = ring[(i + 1) % size]
        reason = int(r["reason"])
        print(f"  tsc {int(r['tsc'])}  rip {int(r['rip']):#x}  {names.get(reason, '?')} ({reason:#x})")


def read_vmcb(v: gdb.Value) -> dict[str, int]:
    """Every field of the VMCB; a segment gives its four parts."""
    vmcb = int(v.cast(gdb.lookup_type("struct svm_vcpu").pointer())["vmcb"].address)
    memory = gdb.selected_inferior().read_memory(vmcb, 0x1000).tobytes()
    sizes = {"u8": 1, "u16": 2, "u32": 4, "u64": 8}
    fields = {}
    for name, offset, kind in re.findall(r"\bF\((\w+), (0x\w+), ([\w ]+)\)", (HV / "svm/vmcb.h").read_text()):
        at = int(offset, 0)
        if kind in sizes:
            fields[name] = int.from_bytes(memory[at : at + sizes[kind]], "little")
        else:
            for part, shift, size in (("selector", 0, 2), ("attr", 2, 2), ("limit", 4, 4), ("base", 8, 8)):
                fields[f"{name}.{part}"] = int.from_bytes(memory[at + shift : at + shift + size], "little")
    return fields


def read_vmcs() -> dict[str, int]:
    """Every field of the current VMCS, by calling the hypervisor's vmcs_read()."""
    fields = re.findall(r"\bF\((\w+), (0x\w+)\)", (HV / "vmx/vmcs_fields.h").read_text())
    return {name: int(gdb.parse_and_eval(f"vmcs_read({encoding})")) for name, encoding in fields}


class PxhvVcpu(gdb.Command):
    """pxhv-vcpu [VCPU]: the guest's registers at its last exit, what is pending, and the last exits."""

    def __init__(self) -> None:
        super().__init__("pxhv-vcpu", gdb.COMMAND_DATA)

    def invoke(self, arg: str, from_tty: bool) -> None:
        v = current_vcpu(arg)
        print(f"vm {v['vm']['config']['name'].string()}, vcpu {int(v['index'])}: rip {int(v['rip']):#x}, "
              f"events {int(v['events']):#x}, {'halted' if int(v['halted']) else 'running'}")  # fmt: skip
        for i, name in enumerate(GPRS):
            if name != "rsp":  # the vendor's structure has it
                print(f"  {name:4}{int(v['regs'][i]):#018x}", end="\n" if i % 4 == 3 else "")
        print_exits(v)


class PxhvVmcb(gdb.Command):
    """pxhv-vmcb [VCPU]: the fields of an AMD-V vcpu's VMCB that are not 0."""

    def __init__(self) -> None:
        super().__init__("pxhv-vmcb", gdb.COMMAND_DATA)

    def invoke(self, arg: str, from_tty: bool) -> None:
        v = current_vcpu(arg)
        if not is_svm(v):
            raise gdb.GdbError("this vcpu runs on VT-x: pxhv-vmcs")
        for name, value in read_vmcb(v).items():
            if value:
                print(f"{name:24} {value:#x}")


class PxhvVmcs(gdb.Command):
    """pxhv-vmcs: the fields of the VMCS that is current on this CPU."""

    def __init__(self) -> None:
        super().__init__("pxhv-vmcs", gdb.COMMAND_DATA)

    def invoke(self, arg: str, from_tty: bool) -> None:
        if is_svm(current_vcpu(arg)):
            raise gdb.GdbError("this vcpu runs on AMD-V: pxhv-vmcb")
        for name, value in read_vmcs().items():
            print(f"{name:24} {value:#x}")


class Place:
    """What tells one frame from another."""

    def __init__(self, sp: gdb.Value, pc: gdb.Value) -> None:
        self.sp, self.pc = sp, pc


class EntryUnwinder(gdb.unwinder.Unwinder):
    """The entry loops are assembler. RBX is v in them; on the stack are, VT-x has v below, the registers of PUSH_HOST_REGISTERS."""

    def __init__(self) -> None:
        super().__init__("pxhv-entry")

    def __call__(self, frame: gdb.PendingFrame) -> gdb.UnwindInfo | None:
        place = Place(frame.read_register("rsp"), frame.read_register("rip"))
        symbol = gdb.execute(f"info symbol {int(place.pc):#x}", to_string=True)
        if not symbol.startswith(("svm_enter", "vmx_enter", "vmx_exit_entry")):
            return None
        if int(frame.read_register("rbx")) != int(gdb.parse_and_eval("cpus[0].vcpu")):
            return None
        sp = int(place.sp) + 8 * symbol.startswith("vmx")
        saved = gdb.selected_inferior().read_memory(sp, 7 * 8).tobytes()
        info = frame.create_unwind_info(place)
        u64 = gdb.lookup_type("unsigned long")
        for i, register in enumerate("r15 r14 r13 r12 rbp rbx rip".split()):
            value = int.from_bytes(saved[8 * i : 8 * i + 8], "little")
            info.add_saved_register(register, gdb.Value(value).cast(u64))
        info.add_saved_register("rsp", gdb.Value(sp + len(saved)).cast(u64))
        return info


gdb.unwinder.register_unwinder(None, EntryUnwinder())
PxhvVcpu()
PxhvVmcb()
PxhvVmcs()
