"""Bochs: emulates VT-x (and AMD-V), so it runs the hypervisor on any PC, at about 100 MHz."""

import functools
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

from . import picture
from .emulator import Emulator, Machine, spawn
from .project import need_program
from .status import PxhvError, UsageError

DEFAULT_CPU = "corei7_skylake_x"
DRIVE_PLACES = ("ata0-slave", "ata1-master", "ata1-slave")
IPS = 100_000_000  # also the frequency of the emulated TSC
CONNECT_SECONDS = 30

# clock: headless runs take no notice of real time and repeat byte for byte.
# rfb: the only display that needs no screen; it listens on the first free port from 5900 up, for a VNC viewer.
# e9: Bochs prints to stdout what is written to port 0xE9, which is where the hypervisor reports its end.
CONFIG = """\
config_interface: textconfig
display_library: rfb, options="timeout=0"
romimage: file=/usr/share/bochs/BIOS-bochs-latest, options=fastboot
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
{memory}
cpu: model={cpu}, count={cpus}, ips={ips}, reset_on_triple_fault=0, ignore_bad_msrs=1
clock: {clock}
pci: enabled=1, chipset=i440fx
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=disk, mode=flat, path=disk.img
ata1: enabled=1, ioaddr1=0x170, ioaddr2=0x370, irq=15
{drives}
boot: disk
com1: enabled=1, mode=socket-client, dev=127.0.0.1:{port}
speaker: enabled=0
sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy
port_e9_hack: enabled=1
log: bochs.log
panic: action=fatal
error: action=report
info: action=report
debug: action=ignore
mouse: enabled=0
"""


@functools.cache
def models() -> list[str]:
    """The CPU models that this Bochs knows."""
    out = subprocess.run([need_program("bochs"), "--help", "cpu"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                         stdin=subprocess.DEVNULL, text=True).stdout
    return re.findall(r"^\w+$", out.partition("Supported CPU models:")[2], re.MULTILINE)


def memory_option(size: int) -> str:
    """Bochs' words for that many bytes. Beyond 3 GiB it moves a GiB above the fourth for the device hole."""
    mib = (size + 0xFFFFF) >> 20
    if mib <= 2048:
        return f"megs: {mib}"
    if mib > 3072:
        mib += 1024
    return f"memory: guest={mib}, host={mib}"


def attach(machine: Machine, image: Path, name: str) -> str:
    """The name of a link to the image, so that Bochs' lock file lands in the work folder."""
    link = machine.workdir / name
    if link != image:
        link.symlink_to(image.resolve())
    return name


def drive_lines(machine: Machine) -> str:
    """The drives beside the boot disk. A read-only one keeps what is written for itself."""
    lines = []
    for place, drive in zip(DRIVE_PLACES, machine.drives):
        mode = "volatile" if drive.readonly else "flat"
        lines.append(f"{place}: type=disk, mode={mode}, path={attach(machine, drive.path, place + '.img')}")
    return "\n".join(lines)


def check(machine: Machine) -> None:
    """UsageError for a machine that Bochs cannot be."""
    if machine.media != "ide":
        raise UsageError(f"--media {machine.media}: Bochs boots from ide only, take --engine qemu")
    if machine.drives and machine.drive_media != "ide":
        raise UsageError(f"--disk-media {machine.drive_media}: Bochs has ide only, take --engine qemu")
    if machine.cpu and machine.cpu not in (models() or machine.cpu):
        raise UsageError(f"Bochs has no CPU model '{machine.cpu}'; it has: {' '.join(models())}")


def write_screen(process: subprocess.Popen, memory: Path, path: Path) -> None:
    """Stops Bochs in its debugger, which saves the text screen's memory and quits; draws that to path."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(20)
        text = memory.read_bytes()
    except (subprocess.TimeoutExpired, OSError) as e:
        raise PxhvError("no screenshot: Bochs' debugger does not answer") from e
    path.write_bytes(picture.png(text))


def start(machine: Machine) -> Emulator:
    """Boots the machine; its serial line is connected when this returns."""
    check(machine)
    attach(machine, machine.disk, "disk.img")
    listener = socket.create_server(("127.0.0.1", 0))
    clock = f"sync=slowdown, time0={int(time.time())}" if machine.person else "sync=none, time0=1700000000"
    (machine.workdir / "bochsrc").write_text(CONFIG.format(
        memory=memory_option(machine.memory), cpu=machine.cpu or DEFAULT_CPU, cpus=machine.cpus, ips=IPS,
        clock=clock, drives=drive_lines(machine), port=listener.getsockname()[1]))
    # Debian's Bochs stops in its debugger at reset: continue, and when the machine has ended, quit.
    screen = machine.workdir / "screen"
    save = f'writemem "{screen.name}" 0xb8000 {picture.TEXT_BYTES}\n' if machine.screenshot else ""
    (machine.workdir / "debugger").write_text(f"c\n{save}q\n")
    logs = [machine.workdir / "bochs.log", machine.workdir / "bochs.err"]
    process = spawn([need_program("bochs"), "-q", "-f", "bochsrc", "-rc", "debugger"], machine.workdir, logs[1])
    deadline = time.monotonic() + CONNECT_SECONDS
    listener.settimeout(0.1)
    with listener:
        while True:
            try:
                serial, _ = listener.accept()
                return Emulator(process, serial, logs, functools.partial(write_screen, process, screen))
            except TimeoutError:
                if process.poll() is None and time.monotonic() < deadline:
                    continue
            except BaseException:
                process.kill()
                raise
            process.kill()
            process.wait()
            tail = Emulator(process, listener, logs).log_tail()
            raise PxhvError(f"Bochs did not start. Its log ends with:\n{tail}")
