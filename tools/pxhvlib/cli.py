"""The command line of tools/pxhv."""

import argparse
import os
import signal
import sys
import tempfile
from pathlib import Path

from . import doctor, engine, files, gdb, guest, image, project, session, status, trace_report
from .emulator import DRIVE_NAMES, Drive, Machine
from .relay import Relay
from .qemu import MEDIA
from .status import PxhvError, UsageError
from .symbols import Symbols
from .terminal import Terminal

STATUSES = """\
exit status:
  0    the guest powered off cleanly; a guest that wrote N to its debug-exit port (0xF4) gives N
  2    bad usage
  3    the guest died
  4    the hypervisor refused to start, or panicked
  5    the emulator ended without a verdict, or a program that is needed is missing
  124  --timeout ran out
  130  interrupted: Ctrl-C without a terminal, Ctrl-] three times with one
"""

HOST_MEMORY = 512 << 20  # the PC's memory, if the guests do not need more
HOST_SPARE = 128 << 20  # for the hypervisor and the firmware


def number(kind: type, low: float, high: float, words: str):
    """An option's type: numbers from low to high, which words describe."""

    def convert(text: str):
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not low <= value <= high:
            raise argparse.ArgumentTypeError(f"'{text}' is not {words}")
        return value

    return convert


positive = number(int, 1, sys.maxsize, "a whole number from 1 on")
insns = number(int, 1, guest.MOST_INSNS, f"a whole number from 1 to {guest.MOST_INSNS}")
seconds = number(float, 1e-6, 1e9, "a number of seconds above 0, at most 1000000000")
port_number = number(int, 1, 65535, "a port's number, from 1 to 65535")


def add_guest_options(p: argparse.ArgumentParser) -> None:
    group = p.add_argument_group("the guest")
    group.add_argument("--disk", metavar="F[,ro]", action="append", default=[],
                       help="a disk image, more than one by repeating it; without --kernel the guest boots from the first as "
                            "a PC would, also from a floppy's image. run keeps in F what the guest writes, but for a floppy; "
                            "with --config it is a drive of the PC, for the config to name")
    what = group.add_mutually_exclusive_group()
    what.add_argument("--kernel", metavar="F", help="a Linux bzImage")
    what.add_argument("--multiboot", metavar="F", help="an ELF kernel with a Multiboot header or a PVH note, or 64-bit")
    what.add_argument("--flat", metavar="F@ADDR:BITS", help="an image put at ADDR and started there, BITS 16 or 64")
    what.add_argument("--config", metavar="F", help="a pxhv.conf; files it names are looked up beside it")
    p.add_argument("--file", metavar="F", action="append", default=[], help="a further file for --config's guests")
    p.add_argument("--initrd", metavar="F")
    p.add_argument("--module", metavar="F", action="append", default=[],
                   help="a module of --multiboot, 'F ARGUMENTS' to give it some; up to 8")
    p.add_argument("--append", metavar="S", help="the kernel's command line")
    p.add_argument("--console", choices=["serial", "vga"], help="vga: show the guest's text screen even if it uses its serial port")
    p.add_argument("--memory", metavar="M", help=f"of the guest, such as 1G; {guest.DEFAULT_MEMORY} by default")
    p.add_argument("--cpus", metavar="N", type=positive, default=1,
                   help="of the emulated PC and of the guest; this version runs guests of 1 CPU only")
    p.add_argument("--trace-memory", metavar="M",
                   help=f"trace the guest's exits into that much memory per CPU; --trace takes {guest.DEFAULT_TRACE}")
    p.add_argument("--trace-insns", metavar="N", type=insns, nargs="?", const=guest.DEFAULT_INSNS,
                   help=f"trace the guest's first N instructions too, {guest.DEFAULT_INSNS} without N")
    p.add_argument("--quiet", action="store_true", help="no boot story, no hint")


def add_engine_options(p: argparse.ArgumentParser) -> None:
    p.add_argument("--engine", choices=("auto", *engine.ENGINES), default="auto",
                   help="auto: KVM if it can nest here, else QEMU, which emulates AMD-V")
    p.add_argument("--cpu", metavar="MODEL", default="", help="in the engine's words (bochs --help cpu)")
    p.add_argument("--media", choices=MEDIA, default="ide", help="what QEMU boots the disk from")
    p.add_argument("--disk-media", choices=DRIVE_NAMES, help="what --disk's drives hang on: virtio by default, Bochs has ide and usb only")
    p.add_argument("--host-memory", metavar="M", help="of the PC; 512M by default, or more if the guests need it")
    p.add_argument("--count", action="store_true", help="QEMU: the TSC counts instructions, so that figures repeat")
    p.add_argument("--serial-log", metavar="F", help="write what the serial port says to F too")
    p.add_argument("--screenshot", metavar="F", help="at the end, write the PC's screen to F, a PNG")
    p.add_argument("--gdb", metavar="PORT", type=port_number,
                   help="stop the guest at its first instruction, for GDB: target remote :PORT; with --config, and in boot, "
                        "where the config says gdb = com2")
    p.add_argument("--trace", metavar="F", help="at the end, write a timeline of all VM exits to F, for Perfetto or `pxhv trace`")
    p.add_argument("--timeout", metavar="S", type=seconds, help="end after S seconds with status 124")
    p.add_argument("--stdin", action="store_true", help="without a terminal, type standard input into the guest")


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(prog="pxhv", description="Builds pxHV's boot disks and runs them.", epilog=STATUSES,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--build", metavar="DIR", default=os.environ.get("PXHV_BUILD", str(project.ROOT / "build")),
                   help="where the hypervisor was built (default: build, or $PXHV_BUILD)")
    commands = p.add_subparsers(dest="command", required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="boot a guest, with this terminal as its serial port", epilog=STATUSES,
                              formatter_class=argparse.RawDescriptionHelpFormatter)
    add_guest_options(run)
    add_engine_options(run)

    disk = commands.add_parser("image", help="only build the boot disk, for a USB stick or an emulator")
    add_guest_options(disk)
    disk.add_argument("-o", "--output", metavar="DISK", required=True)
    disk.add_argument("--size", metavar="SIZE", help="of the image, such as 2G; by default what the files need, with some room")
    disk.add_argument("--headless", action="store_true", help="a guest that dies ends the run: nobody sits there for the monitor")
    disk.add_argument("--debug-exit", action="store_true", help="give the guest port 0xF4, as run does")

    boot = commands.add_parser("boot", help="boot a disk that `image` built")
    boot.add_argument("disk", metavar="DISK")
    boot.add_argument("--disk", dest="disks", metavar="F[,ro]", action="append", default=[],
                      help="a further drive of the PC: a disk image; more by repeating it")
    boot.add_argument("--cpus", metavar="N", type=positive, default=1, help="of the emulated PC")
    boot.add_argument("--quiet", action="store_true", help="no hint")
    add_engine_options(boot)

    debug = commands.add_parser("gdb", help="start QEMU stopped and GDB on it, with the hypervisor's symbols")
    add_guest_options(debug)
    debug.add_argument("--cpu", metavar="MODEL", default="")
    debug.add_argument("--ex", metavar="CMD", action="append", default=[], help="for GDB, after its script")
    debug.add_argument("--batch", action="store_true", help="end GDB after its commands")

    report = commands.add_parser("trace", help="what a timeline says that `run --trace` wrote: top exits, hottest addresses")
    report.add_argument("timeline", metavar="FILE")
    report.add_argument("--symbols", metavar="F", help="the guest's vmlinux or other ELF file, or System.map")
    report.add_argument("--insns", action="store_true", help="list the instructions that `run --trace-insns` recorded")
    report.add_argument("--top", metavar="N", type=positive, default=12, help="lines in each table, 12 by default")

    symbols = commands.add_parser("symbols", help="make an ELF file for GDB of a System.map or a guest's /proc/kallsyms")
    symbols.add_argument("map", metavar="FILE")
    symbols.add_argument("-o", "--output", metavar="ELF", required=True)

    commands.add_parser("doctor", help="say what this PC can run and what is missing")
    return p


def choose_engine(args) -> None:
    """Puts the engine and what it has in the place of what was left open."""
    if args.engine == "auto":
        args.engine = engine.choose(args.cpu)
    if not args.disk_media:
        args.disk_media = "ide" if args.engine == "bochs" else "virtio"


def machine_from(args, disk: Path, workdir: Path, guest_memory: int, drives: list[Drive]) -> Machine:
    memory = max(HOST_MEMORY, guest_memory + HOST_SPARE)
    if args.host_memory:
        memory = guest.vm_memory("--host-memory", args.host_memory)
    return Machine(disk=disk, workdir=workdir, cpu=args.cpu, cpus=args.cpus, memory=memory, media=args.media, count=args.count,
                   drives=drives, drive_media=args.disk_media, inspected=bool(args.screenshot or args.trace), debug=bool(args.gdb),
                   person=sys.stdin is not None and sys.stdin.isatty())


def inputs(args, boot: guest.BootFiles) -> list[Path]:
    """All files that a boot disk and its PC are made of."""
    return [*boot.files.values(), *(drive.path for drive in boot.drives), *([Path(args.config)] if args.config else [])]


def warn_of_lost_disks(boot: guest.BootFiles) -> None:
    """For a boot disk that does not outlive the run."""
    for name in boot.in_place:
        print(f"pxhv: what the guest writes to 'boot:{name}' is lost with this run's disk; "
              "make the disk with `pxhv image`, and run it with `pxhv boot`", file=sys.stderr)


def boot_disk(args, machine: Machine, read: list[Path]) -> int:
    """Boots the machine with the terminal, as run and boot do alike; read are the user's files in it."""
    outputs = list(filter(None, (args.serial_log, args.trace, args.screenshot)))
    for output in outputs:
        files.check_output(Path(output), read)
    for output in outputs:
        try:
            open(output, "wb").close()
        except OSError as e:
            raise UsageError(f"cannot write {output}: {e.strerror}") from e
    log = Path(args.serial_log) if args.serial_log else None
    shot = Path(args.screenshot) if args.screenshot else None
    timeline = Path(args.trace) if args.trace else None
    with files.held([(machine.disk, False), *((drive.path, drive.readonly) for drive in machine.drives)]):
        relay = Relay(args.gdb) if args.gdb else None
        emulator = engine.start(args.engine, machine)
        return session.run(emulator, Terminal(args.stdin), args.timeout, log, hint=not args.quiet, screenshot=shot,
                           timeline=timeline, relay=relay)


def command_run(args) -> int:
    choose_engine(args)
    boot = guest.boot_files(args, debug_exit=True, run=True)
    warn_of_lost_disks(boot)
    mbr, hypervisor = project.hypervisor(Path(args.build).absolute())
    with tempfile.TemporaryDirectory(prefix="pxhv-") as workdir:
        disk = Path(workdir) / "disk.img"
        image.build(disk, mbr, hypervisor, boot)
        return boot_disk(args, machine_from(args, disk, Path(workdir), boot.needs(), boot.drives), inputs(args, boot))


def command_image(args) -> int:
    boot = guest.boot_files(args, debug_exit=args.debug_exit)
    size = None if args.size is None else project.parse_size("--size", args.size)
    output = files.disk_output(Path(args.output), inputs(args, boot))
    mbr, hypervisor = project.hypervisor(Path(args.build).absolute())
    image.build(output, mbr, hypervisor, boot, size)
    return 0


def command_boot(args) -> int:
    choose_engine(args)
    disk = Path(args.disk)
    if disk.is_block_device():
        files.need_writable(disk, "with sudo it can be")  # nor read as a rule
    else:
        files.need_file(disk)
        files.need_writable(disk, "a copy of it can be")
    if not files.is_boot_disk(disk):
        raise UsageError(f"{disk} is no disk of `pxhv image`; to boot a guest's disk: `pxhv run --disk {disk}`")
    drives = guest.attached(args.disks, args)
    with tempfile.TemporaryDirectory(prefix="pxhv-") as workdir:
        return boot_disk(args, machine_from(args, disk, Path(workdir), 0, drives), [disk, *(drive.path for drive in drives)])


def command_gdb(args) -> int:
    boot = guest.boot_files(args, debug_exit=True)
    warn_of_lost_disks(boot)
    build = Path(args.build).absolute()
    mbr, hypervisor = project.hypervisor(build)
    with tempfile.TemporaryDirectory(prefix="pxhv-") as workdir:
        disk = Path(workdir) / "disk.img"
        image.build(disk, mbr, hypervisor, boot)
        memory = max(HOST_MEMORY, boot.needs() + HOST_SPARE)
        machine = Machine(disk=disk, workdir=Path(workdir), cpu=args.cpu, cpus=args.cpus, memory=memory)
        return gdb.run(machine, build, args.ex, args.batch)


def command_trace(args) -> int:
    symbols = Symbols.read(Path(args.symbols)) if args.symbols else None
    file = Path(args.timeline)
    lines = trace_report.instructions(file, symbols) if args.insns else trace_report.report(file, symbols, args.top)
    print("\n".join(lines))
    return 0


def command_symbols(args) -> int:
    files.check_output(Path(args.output), [Path(args.map)])
    content = Symbols.read(Path(args.map)).elf()
    try:
        Path(args.output).write_bytes(content)
    except OSError as e:
        raise UsageError(f"cannot write {args.output}: {e.strerror}") from e
    return 0


def command_doctor(args) -> int:
    return doctor.run()


COMMANDS = {
    "run": command_run,
    "image": command_image,
    "boot": command_boot,
    "gdb": command_gdb,
    "trace": command_trace,
    "symbols": command_symbols,
    "doctor": command_doctor,
}


def interrupted(number, frame):
    signal.signal(number, signal.SIG_IGN)  # a terminal that goes says so twice
    raise KeyboardInterrupt


def main(argv: list[str]) -> int:
    """Runs one command and returns the exit status; whatever ends it, emulator and work folder go first."""
    args = parser().parse_args(argv)
    signal.signal(signal.SIGTERM, interrupted)
    signal.signal(signal.SIGHUP, interrupted)
    try:
        result = COMMANDS[args.command](args)
        sys.stdout.flush()
        return result
    except OSError as e:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or what could not be written is tried again at the end
        if isinstance(e, BrokenPipeError):  # whoever read it has seen enough
            return 0
        print(f"pxhv: {e}", file=sys.stderr)
        return PxhvError.status
    except PxhvError as e:
        print(f"pxhv: {e}", file=sys.stderr)
        return e.status
    except KeyboardInterrupt:
        return status.INTERRUPTED
