"""GDB on the hypervisor in QEMU, from the reset vector on."""

import signal
import subprocess
import sys
from pathlib import Path

from . import qemu
from .emulator import Machine, spawn
from .project import ROOT, need_program
from .status import PxhvError

COMMANDS = ROOT / "tools" / "gdb" / "pxhv.py"
SCRIPT = ROOT / "tools" / "gdb" / "pxhv.gdb"


def run(machine: Machine, build: Path, commands: list[str], batch: bool) -> int:
    """Starts QEMU stopped, GDB attached to it, and ends QEMU when GDB ends. Returns GDB's status.

    They meet at a socket in the work folder, so no port can be taken. The serial port goes to a file,
    because the terminal is GDB's.
    """
    elf, serial = build / "pxhv.elf", build / "gdb-serial.log"
    if not elf.exists():
        raise PxhvError(f"{elf} is missing: run make")
    gdb = [need_program("gdb"), "-q", "-nx", str(elf), "-ex", f"target remote {machine.workdir}/gdb", "-x", str(COMMANDS), "-x", str(SCRIPT)]
    for command in commands:
        gdb += ["-ex", command]
    qemu_log = machine.workdir / "qemu.err"
    process = spawn(qemu.command(machine, kvm=False) + [
        "-S", "-chardev", "socket,path=gdb,server=on,wait=off,id=gdb", "-gdb", "chardev:gdb",
        "-serial", f"file:{serial}",
    ], machine.workdir, qemu_log)  # fmt: skip
    try:
        wait_for(machine.workdir / "gdb", process, qemu_log)
        print(f"pxhv: the serial port is written to {serial} (tail -f it in another terminal)", file=sys.stderr)
        signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C is for GDB, though the terminal sends it to both
        return subprocess.run(gdb + (["--batch"] if batch else [])).returncode
    finally:
        process.kill()
        process.wait()


def wait_for(path: Path, process: subprocess.Popen, log: Path) -> None:
    """Waits for QEMU to open its socket."""
    for _ in range(200):
        if path.exists():
            return
        try:
            process.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
        break
    raise PxhvError(f"QEMU did not start: {log.read_text(errors='replace').strip()}")
