"""QEMU: with KVM it runs the hypervisor at full speed (nested), without it emulates AMD-V but no VT-x."""

import json
import re
import socket
import subprocess
from functools import partial
from pathlib import Path

from .emulator import Emulator, Machine, spawn
from .project import need_program
from .status import PxhvError

PROGRAM = "qemu-system-x86_64"

# How the boot disk hangs on the machine.
MEDIA = {
    "ide": ["-device", "ide-hd,bus=ide.0,drive=boot,bootindex=0"],
    "ahci": ["-device", "ahci,id=ahci", "-device", "ide-hd,drive=boot,bus=ahci.0,bootindex=0"],
    "nvme": ["-device", "nvme,serial=pxhv,drive=boot,bootindex=0"],
    "virtio": ["-device", "virtio-blk-pci,drive=boot,bootindex=0"],
    "scsi": ["-device", "virtio-scsi-pci", "-device", "scsi-hd,drive=boot,bootindex=0"],
    "usb": ["-device", "qemu-xhci", "-device", "usb-storage,drive=boot,bootindex=0"],
    "ehci": ["-device", "usb-ehci", "-device", "usb-storage,drive=boot,bootindex=0"],
    "uhci": ["-device", "piix3-usb-uhci", "-device", "usb-storage,drive=boot,bootindex=0"],
    "floppy": ["-device", "floppy,drive=boot", "-boot", "a"],
}


def version() -> str:
    """QEMU's version, such as "7.2.22"."""
    out = subprocess.run([need_program(PROGRAM), "--version"], capture_output=True, text=True).stdout
    m = re.search(r"version (\S+)", out)
    return m[1] if m else "unknown"


def quoted(path: Path) -> str:
    """A file's name as an option's value: QEMU wants commas doubled."""
    return str(path.resolve()).replace(",", ",,")


def drive_options(machine: Machine) -> list[str]:
    """The drives beside the boot disk, in their order. A flush of theirs reaches this PC's own disk."""
    options = ["-device", "ahci,id=drives"] if machine.drives and machine.drive_media == "ahci" else []
    for n, drive in enumerate(machine.drives):
        place = n + (machine.media == "ide")
        device = {
            "ide": f"ide-hd,bus=ide.{place // 2},unit={place % 2}",
            "ahci": f"ide-hd,bus=drives.{n}",
            "nvme": f"nvme,serial=drive{n}",
            "virtio": "virtio-blk-pci",
        }[machine.drive_media]
        snapshot = "on" if drive.readonly else "off"
        options += ["-drive", f"if=none,id=drive{n},format=raw,cache=writeback,snapshot={snapshot},file={quoted(drive.path)}",
                    "-device", f"{device},drive=drive{n}"]
    return options


def command(machine: Machine, kvm: bool) -> list[str]:
    """The command line but for its serial port."""
    return [
        need_program(PROGRAM), "-nodefaults", "-no-user-config", "-display", "none", "-machine", "pc",
        "-accel", "kvm" if kvm else "tcg", *(["-icount", "shift=0,sleep=off"] if machine.count else []),
        "-cpu", machine.cpu or ("host" if kvm else "max"),
        "-smp", str(machine.cpus), "-m", f"{(machine.memory + 0xFFFFF) >> 20}M", "-device", "VGA",
        "-drive", f"if=none,id=boot,format=raw,cache=writeback,file={quoted(machine.disk)}", *MEDIA[machine.media],
        *drive_options(machine),
    ]  # fmt: skip


def screendump(monitor: socket.socket, path: Path) -> None:
    """Lets QEMU write its screen to path, by its monitor protocol (QMP)."""
    commands = [{"execute": "qmp_capabilities"},
                {"execute": "screendump", "arguments": {"filename": str(path.absolute()), "format": "png"}}]
    try:
        with monitor, monitor.makefile("rw") as qmp:
            monitor.settimeout(10)
            for command in commands:
                print(json.dumps(command), file=qmp, flush=True)
                while not {"return", "error"} & (answer := json.loads(qmp.readline() or '{"error": {"desc": "gone"}}')).keys():
                    pass  # a greeting, an event
                if "error" in answer:
                    raise PxhvError(f"no screenshot: {answer['error']['desc']}")
    except OSError as e:
        raise PxhvError(f"no screenshot: QEMU does not answer ({e})") from e


def start(machine: Machine, kvm: bool) -> Emulator:
    """Boots the machine; its serial line is connected when this returns."""
    ours, theirs = socket.socketpair()
    monitor, qemus = socket.socketpair()
    with theirs, qemus:
        options = [
            "-chardev", f"socket,id=serial,fd={theirs.fileno()}", "-serial", "chardev:serial",
            "-chardev", "stdio,id=e9,signal=off", "-device", "isa-debugcon,iobase=0xe9,chardev=e9",
            "-chardev", f"socket,id=qmp,fd={qemus.fileno()}", "-mon", "chardev=qmp,mode=control",
            *(["-no-shutdown"] if machine.screenshot else []),
        ]  # fmt: skip
        log = machine.workdir / "qemu.err"
        process = spawn(command(machine, kvm) + options, machine.workdir, log, (theirs.fileno(), qemus.fileno()))
    return Emulator(process, ours, [log], partial(screendump, monitor))
