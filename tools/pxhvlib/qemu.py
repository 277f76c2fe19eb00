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

# That drives beside the boot disk hang on, where they do not come with their own.
CONTROLLERS = {"ahci": "ahci,id=drives", "usb": "qemu-xhci,id=drives"}


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
    options = ["-device", CONTROLLERS[machine.drive_media]] if machine.drives and machine.drive_media in CONTROLLERS else []
    for n, drive in enumerate(machine.drives):
        place = n + (machine.media == "ide")
        device = {
            "ide": f"ide-hd,bus=ide.{place // 2},unit={place % 2}",
            "ahci": f"ide-hd,bus=drives.{n}",
            "nvme": f"nvme,serial=drive{n}",
            "virtio": "virtio-blk-pci",
            "usb": "usb-storage,bus=drives.0",
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


def inspect(monitor: socket.socket, workdir: Path, screen: Path | None, ranges: list[tuple[int, int]]) -> list[bytes]:
    """Emulator.inspect, by QEMU's monitor protocol (QMP)."""
    files = [workdir / f"memory.{i}" for i in range(len(ranges))]
    commands = [{"execute": "qmp_capabilities"}]
    commands += [{"execute": "pmemsave", "arguments": {"val": address, "size": size, "filename": str(file)}}
                 for (address, size), file in zip(ranges, files)]
    if screen:
        commands.append({"execute": "screendump", "arguments": {"filename": str(screen.absolute()), "format": "png"}})
    try:
        with monitor, monitor.makefile("rw") as qmp:
            monitor.settimeout(10)
            for command in commands:
                print(json.dumps(command), file=qmp, flush=True)
                while not {"return", "error"} & (answer := json.loads(qmp.readline() or '{"error": {"desc": "gone"}}')).keys():
                    pass  # a greeting, an event
                if "error" in answer:
                    raise PxhvError(f"the PC's screen or memory cannot be read: {answer['error']['desc']}")
        return [file.read_bytes() for file in files]
    except OSError as e:
        raise PxhvError(f"the PC's screen or memory cannot be read: QEMU does not answer ({e})") from e


def start(machine: Machine, kvm: bool) -> Emulator:
    """Boots the machine; its serial line is connected when this returns."""
    ours, theirs = socket.socketpair()
    monitor, monitor_theirs = socket.socketpair()
    debug, debug_theirs = socket.socketpair()
    with theirs, monitor_theirs, debug_theirs:
        options = [
            "-chardev", f"socket,id=serial,fd={theirs.fileno()}", "-serial", "chardev:serial",
            "-chardev", "stdio,id=e9,signal=off", "-device", "isa-debugcon,iobase=0xe9,chardev=e9",
            "-chardev", f"socket,id=qmp,fd={monitor_theirs.fileno()}", "-mon", "chardev=qmp,mode=control",
            *(["-no-shutdown"] if machine.inspected else []),
        ]  # fmt: skip
        if machine.debug:
            options += ["-chardev", f"socket,id=debug,fd={debug_theirs.fileno()}", "-serial", "chardev:debug"]
        log = machine.workdir / "qemu.err"
        process = spawn(command(machine, kvm) + options, machine.workdir, log,
                        (theirs.fileno(), monitor_theirs.fileno(), debug_theirs.fileno()))
    return Emulator(process, ours, [log], partial(inspect, monitor, machine.workdir), debug)
