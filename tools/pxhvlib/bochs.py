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
PLACES = {"ide": ("ata0-slave", "ata1-master", "ata1-slave"), "usb": ("port1", "port2", "port3", "port4")}
USB3 = PLACES["usb"][:2]
IPS = 100_000_000  # also the frequency of the emulated TSC
CONNECT_SECONDS = 30
TEXT_SCREEN = 0xB8000
LAST_WORDS = '"last-words"'  # a file of commands for the debugger, which takes the quotes as part of its name

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
    for place, drive in zip(PLACES.get(machine.drive_media, ()), machine.drives):
        mode = "volatile" if drive.readonly else "flat"
        path = attach(machine, drive.path, place + ".img")
        if machine.drive_media == "usb":
            speed = "super" if place in USB3 else "high"
            lines.append(f'usb_xhci: enabled=1, {place}=disk, options{place[-1]}="path:{mode}:{path}, speed:{speed}"')
        else:
            lines.append(f"{place}: type=disk, mode={mode}, path={path}")
    return "\n".join(lines)


def check(machine: Machine) -> None:
    """UsageError for a machine that Bochs cannot be."""
    if machine.media != "ide":
        raise UsageError(f"--media {machine.media}: Bochs boots from ide only, take --engine qemu")
    if machine.drives and machine.drive_media not in PLACES:
        raise UsageError(f"--disk-media {machine.drive_media}: Bochs has ide and usb only, take --engine qemu")
    if machine.cpu and machine.cpu not in (models() or machine.cpu):
        raise UsageError(f"Bochs has no CPU model '{machine.cpu}'; it has: {' '.join(models())}")


def inspect(process: subprocess.Popen, workdir: Path, screen: Path | None, ranges: list[tuple[int, int]]) -> list[bytes]:
    """Emulator.inspect: stops Bochs in its debugger, which saves what is wanted and quits."""
    wanted = ranges + ([(TEXT_SCREEN, picture.TEXT_BYTES)] if screen else [])
    (workdir / LAST_WORDS).write_text(
        "".join(f'writemem "memory.{i}" {address:#x} {size}\n' for i, (address, size) in enumerate(wanted)))
    process.send_signal(signal.SIGINT)
    try:
        process.wait(60)
        found = [(workdir / f"memory.{i}").read_bytes() for i in range(len(wanted))]
    except (subprocess.TimeoutExpired, OSError) as e:
        raise PxhvError("the PC's memory cannot be read: Bochs' debugger does not answer") from e
    if screen:
        screen.write_bytes(picture.png(found.pop()))
    return found


def start(machine: Machine) -> Emulator:
    """Boots the machine; its serial line is connected when this returns."""
    check(machine)
    attach(machine, machine.disk, "disk.img")
    ports = [socket.create_server(("127.0.0.1", 0)) for _ in range(1 + machine.debug)]
    clock = f"sync=slowdown, time0={int(time.time())}" if machine.person else "sync=none, time0=1700000000"
    config = CONFIG.format(memory=memory_option(machine.memory), cpu=machine.cpu or DEFAULT_CPU, cpus=machine.cpus,
                           ips=IPS, clock=clock, drives=drive_lines(machine))
    for number, port in enumerate(ports, 1):
        config += f"com{number}: enabled=1, mode=socket-client, dev=127.0.0.1:{port.getsockname()[1]}\n"
    (machine.workdir / "bochsrc").write_text(config)
    # Debian's Bochs stops in its debugger at reset: continue, and when the machine has ended, quit.
    last = f"source {LAST_WORDS}\n" if machine.inspected else ""
    (machine.workdir / "debugger").write_text(f"c\n{last}q\n")
    logs = [machine.workdir / "bochs.log", machine.workdir / "bochs.err"]
    process = spawn([need_program("bochs"), "-q", "-f", "bochsrc", "-rc", "debugger"], machine.workdir, logs[1])
    try:
        lines = [accept(port, process, logs) for port in ports]
    except BaseException:
        process.kill()
        process.wait()
        raise
    finally:
        for port in ports:
            port.close()
    return Emulator(process, lines[0], logs, functools.partial(inspect, process, machine.workdir),
                    lines[1] if machine.debug else None)


def accept(listener: socket.socket, process: subprocess.Popen, logs: list[Path]) -> socket.socket:
    """The connection that Bochs makes for one of its serial ports."""
    deadline = time.monotonic() + CONNECT_SECONDS
    listener.settimeout(0.1)
    while process.poll() is None and time.monotonic() < deadline:
        try:
            return listener.accept()[0]
        except TimeoutError:
            continue
    process.kill()
    process.wait()
    raise PxhvError(f"Bochs did not start. Its log ends with:\n{Emulator(process, listener, logs).log_tail()}")
