"""What to run: the user's options or config file, turned into pxhv.conf and the files beside it."""

import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

from .emulator import DRIVE_NAMES, MOST_DRIVES, Drive
from .files import is_boot_disk, need_file, need_writable
from .project import parse_size, size_text
from .status import PxhvError, UsageError

DEFAULT_MEMORY = "256M"
DEFAULT_TRACE = "16M"  # half a million exits
DEFAULT_INSNS = 10000

# What pxhv.conf takes, see docs/config.md. An option beyond that is told of here, by the option's name.
LEAST_MEMORY, MOST_MEMORY, MEMORY_STEP = 1 << 20, 1 << 40, 4096
MOST_CPUS = 8
MOST_INSNS = 65535
MOST_DISKS = 4
MOST_MODULES = 8
MOST_MODULE = 127  # bytes of its line
MOST_CMDLINE = 2047

# What a PC boots with (package seabios). Of its flavours this one knows all that our PC has: virtio-mmio, a PS/2 keyboard,
# floppies in memory.
SEABIOS = Path("/usr/share/seabios")
BIOS = SEABIOS / "bios-256k.bin"
VGA_BIOS = SEABIOS / "vgabios-isavga.bin"

SECTOR = 512

# Bytes of the floppies there were: an image of such a size is one, a hard disk none.
FLOPPY_SIZES = {kib << 10 for kib in (160, 180, 320, 360, 720, 1200, 1440, 2880)}
CYLINDER = 16 * 63 * SECTOR  # a BIOS reads from no hard disk that is smaller: such an image is the start of a floppy's

# How images begin that are no disk as it is: format, offset, bytes.
FORMATS = (("qcow2", 0, b"QFI\xfb"), ("VMDK", 0, b"KDMV"), ("VHDX", 0, b"vhdxfile"), ("VDI", 64, b"\x7f\x10\xda\xbe"),
           ("VHD", 0, b"conectix"))

# A key of a [vm] section whose value is a file of the boot partition.
FILE_KEY = re.compile(
    r"""\s*(kernel|initrd|multiboot|module|flat|firmware|vgabios|floppy|disk)\s*=\s*(?:"(.*?)"|(.*?))\s*(?:\s[;#].*)?$""")
VM_SECTION = re.compile(r"\s*\[\s*vm\s")
SIZE_KEY = re.compile(r'\s*(memory|trace)\s*=\s*"?(\d+[KMGkmg])"?\s*(?:[;#].*)?$')
FLAT = re.compile(r"(.+)@(0[xX][0-9a-fA-F]+|\d+):(16|64)")
DISK = re.compile(r"(file|boot):(.+?)(,ro)?")  # the others are disks of the PC
CUT = re.compile(r'" +[;#]')  # in quotes: pxHV takes it for their end and a comment
PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,99}")


@dataclass
class BootFiles:
    """The content of the boot partition."""

    config: bytes
    files: dict[str, Path] = field(default_factory=dict)  # path on the partition: file on this PC
    padded: set[str] = field(default_factory=set)  # those of them that zeros make a floppy
    memory: int = 0  # bytes that the guests want together
    in_place: list[str] = field(default_factory=list)  # those of the files that are a guest's to write
    unread: set[str] = field(default_factory=set)  # those that stay on the disk, in lower case
    drives: list[Drive] = field(default_factory=list)  # of the PC

    def add(self, source: Path, fallback: str) -> str:
        """Takes source along and gives its name on the partition: its own if that is a plain one."""
        need_file(source)
        base = name = source.name if PLAIN_NAME.fullmatch(source.name) else fallback
        taken = {n.lower() for n in self.files} | {"pxhv.conf"}
        tries = 0
        while name.lower() in taken and self.files.get(name) != source:
            tries += 1
            name = f"{fallback}{tries if tries > 1 else ''}-{base}"
        self.files[name] = source
        return name

    def needs(self) -> int:
        """Bytes that pxHV takes of a PC's memory: it has all of the files that it reads and of the guests' memory at once."""
        return self.memory + sum(source.stat().st_size for name, source in self.files.items() if name.lower() not in self.unread)


def vm_memory(option: str, text: str) -> int:
    """The bytes of an option that the config takes as memory."""
    size = parse_size(option, text)
    if not LEAST_MEMORY <= size <= MOST_MEMORY or size % MEMORY_STEP:
        raise UsageError(f"{option} must be 1M to 1024G in steps of 4K, not '{text}'")
    return size


def flat_line(text: str, boot: BootFiles) -> str:
    """The config line of --flat."""
    m = FLAT.fullmatch(text)
    address = int(m[2], 0 if m[2][1:2] in "xX" else 10) if m else 0
    if not m or address >> 64:
        raise UsageError(f"--flat '{text}' is not FILE@ADDR:16 or FILE@ADDR:64")
    if m[3] == "16" and address > 0xFFFF:
        raise UsageError(f"--flat {text}: a 16-bit image must lie below 0x10000, not at {address:#x}")
    return f"flat = {boot.add(Path(m[1]), 'guest.bin')}@{m[2]}:{m[3]}"


def quoted(key: str, option: str, text: str, most: int) -> str:
    """The config line of an option's text, in quotes: it may hold what looks like a comment."""
    if not text.isprintable():
        raise UsageError(f"{option} has a character that no config line can hold")
    if cut := CUT.search(text):
        raise UsageError(f"{option} has {cut[0]} in it, which no config line can hold: pxHV would take it for a comment")
    if len(text.encode()) > most:
        raise UsageError(f"{option} is too long ({len(text.encode())} characters, at most {most})")
    return f'{key} = "{text}"'


def firmware_lines(boot: BootFiles) -> list[str]:
    """Config lines of a VM that boots as a PC does."""
    for f in (BIOS, VGA_BIOS):
        if not f.is_file():
            raise PxhvError(f"{f} is missing: apt-get install seabios")
    return [f"firmware = {boot.add(BIOS, 'bios.bin')}", f"vgabios = {boot.add(VGA_BIOS, 'vgabios.bin')}"]


def split_disk(text: str) -> Drive:
    """--disk's F or F,ro."""
    drive = Drive(Path(text.removesuffix(",ro")), text.endswith(",ro"))
    path = need_file(drive.path)
    try:
        with open(path, "rb") as f:
            start = f.read(80)
    except OSError as e:
        raise UsageError(f"cannot read {path}: {e.strerror}") from e
    if not start:
        raise UsageError(f"{path} is empty")
    for kind, at, magic in FORMATS:
        if start.startswith(magic, at):
            raise UsageError(f"{path} is a {kind} image, a raw one is needed: qemu-img convert -O raw {path} disk.img")
    return drive


def attach(drives: list[Drive], drive: Drive, args) -> str:
    """Makes the image a further drive of the PC and gives pxHV's name for it."""
    number = len(drives)
    if number == MOST_DRIVES.get(args.disk_media, number + 1):
        raise UsageError(f"more than {number} disks on {args.disk_media}; --disk-media takes others")
    if not drive.readonly and (rest := drive.path.stat().st_size % SECTOR):
        raise UsageError(f"{drive.path} ends with {rest} bytes that are no sector of {SECTOR}; {drive.path},ro can be read")
    if not drive.readonly:
        need_writable(drive.path, f"{drive.path},ro can be read")
    if any(other.path.samefile(drive.path) and not (other.readonly and drive.readonly) for other in drives):
        raise UsageError(f"{drive.path} is given twice")
    drives.append(drive)
    return f"{DRIVE_NAMES[args.disk_media]}{number + (args.media == args.disk_media)}"


def attached(disks: list[str], args) -> list[Drive]:
    """--disk's images as drives that the config names."""
    drives = []
    for text in disks:
        attach(drives, split_disk(text), args)
    return drives


def disk_lines(boot: BootFiles, args, run: bool) -> list[str]:
    """Config lines of the disks: drives of the PC where it is to run, so that they keep what is written; else files of the boot
    partition, as odd ones are in any case. A floppy is for the firmware only, which takes one."""
    if len(args.disk) > MOST_DISKS:
        raise UsageError(f"more than {MOST_DISKS} disks")
    lines = []
    to_boot = not (args.kernel or args.multiboot or args.flat)
    for number, drive in enumerate(map(split_disk, args.disk)):
        size = drive.path.stat().st_size
        floppy = (size in FLOPPY_SIZES or size < CYLINDER) and to_boot
        # pxHV knows its own disk by the boot sector, and this one may have the same.
        if is_boot_disk(drive.path) and (to_boot or (run and not drive.readonly)):
            raise UsageError(f"{drive.path} is a boot disk of pxHV: `pxhv boot {drive.path}` runs it")
        end = ",ro" if drive.readonly else ""
        if run and not floppy and not (drive.readonly and size % SECTOR):
            lines.append(f"disk = {attach(boot.drives, drive, args)}{end}")
            continue
        name = boot.add(drive.path, f"disk{number}.img")
        if not floppy:
            lines.append(f"disk = file:{name}{end}")
        elif any(line.startswith("floppy") for line in lines):
            raise UsageError("there is one floppy drive only")
        else:
            lines.append(f"floppy = {name}")
            if size not in FLOPPY_SIZES:
                boot.padded.add(name)
    return lines


def from_options(args, debug_exit: bool, run: bool) -> BootFiles:
    """One guest from --kernel, --multiboot, --flat or --disk. debug_exit gives it the port that ends a run with a value."""
    boot = BootFiles(b"")
    memory = vm_memory("--memory", args.memory or DEFAULT_MEMORY)
    if args.cpus > MOST_CPUS:
        raise UsageError(f"--cpus must be 1 to {MOST_CPUS}, not {args.cpus}")
    # Without a terminal nobody sits there for the monitor to wait for.
    headless = getattr(args, "headless", False) or run and not (sys.stdin and sys.stdin.isatty())
    lines = [f"{key} = yes" for key, wanted in (("quiet", args.quiet), ("headless", headless)) if wanted]
    lines = (["[pxhv]", *lines] if lines else []) + ["[vm guest]"]
    if args.kernel:
        lines.append(f"kernel = {boot.add(Path(args.kernel), 'vmlinuz')}")
        if args.initrd:
            lines.append(f"initrd = {boot.add(Path(args.initrd), 'initrd')}")
    elif args.multiboot:
        lines.append(f"multiboot = {boot.add(Path(args.multiboot), 'kernel.elf')}")
        if len(args.module) > MOST_MODULES:
            raise UsageError(f"more than {MOST_MODULES} modules")
        for module in args.module:
            name, _, arguments = module.partition(" ")
            lines.append(quoted("module", "--module", f"{boot.add(Path(name), 'module')} {arguments}".strip(), MOST_MODULE))
    elif not args.flat:
        lines += firmware_lines(boot)
    else:
        lines.append(flat_line(args.flat, boot))
    if args.append is not None:
        lines.append(quoted("cmdline", "--append", args.append, MOST_CMDLINE))
    lines += disk_lines(boot, args, run)
    if args.console:
        lines.append(f"console = {args.console}")
    lines += [f"memory = {size_text(memory)}", f"cpus = {args.cpus}"]
    if args.trace_memory or getattr(args, "trace", None):
        trace = vm_memory("--trace-memory", args.trace_memory or DEFAULT_TRACE)
        lines.append(f"trace = {size_text(trace)}")
        if args.trace_insns:
            lines.append(f"trace-insns = {args.trace_insns}")
        boot.memory += trace * args.cpus
    if debug_exit:
        lines.append("debug-exit = yes")
    if getattr(args, "gdb", None):
        lines.append("gdb = com2")
    boot.config = ("\n".join(lines) + "\n").encode("utf-8")
    boot.memory += memory
    return boot


def from_config(args) -> BootFiles:
    """The user's config and the files it names, looked up beside it and among --file."""
    path = Path(args.config)
    try:
        config = path.read_bytes()
    except OSError as e:
        raise UsageError(f"cannot read {path}: {e.strerror}") from e
    boot = BootFiles(config)
    extra = {}
    for f in map(Path, args.file):
        extra[f.name.lower()] = boot.files[f.name] = need_file(f)
    memory = 0  # of the [vm] that the lines belong to
    for number, line in enumerate(config.decode("utf-8-sig", "surrogateescape").splitlines(), 1):
        if VM_SECTION.match(line):
            boot.memory += memory
            memory = parse_size("memory", DEFAULT_MEMORY)
        if size := SIZE_KEY.match(line):
            if size[1] == "memory":
                memory = parse_size("memory", size[2])
            else:
                boot.memory += parse_size("trace", size[2])
        m = FILE_KEY.match(line)
        name = (m[2] or m[3]) if m else ""
        if not name:
            continue
        if m[1] == "flat":
            name = name.rpartition("@")[0] or name
        if m[1] == "disk":
            disk = DISK.fullmatch(name)
            if not disk:
                continue
            name = disk[2]
            if disk[1] == "boot":
                boot.unread.add(name.lstrip("/").lower())
                if not disk[3]:
                    boot.in_place.append(name)
        elif m[1] == "module":
            name = name.split()[0]
        name = name.lstrip("/")
        if ".." in name.split("/"):
            raise UsageError(f"{path}:{number}: '..' in '{name}': the boot partition has nothing above its root")
        source = path.parent / name
        if source.is_file():
            boot.files[name] = source
        elif name.lower() not in extra:
            raise UsageError(f"{path}:{number}: no file '{name}' beside {path.name}, nor given by --file")
    boot.memory += memory
    return boot


def boot_files(args, debug_exit: bool, run: bool = False) -> BootFiles:
    """The boot partition that the options ask for, and the drives beside it where a PC is to run."""
    if args.config:
        for option in ("initrd", "append", "console", "memory", "quiet", "headless", "module", "trace_memory", "trace_insns",
                       *(() if run else ("disk",))):
            if getattr(args, option, None) not in (None, False, []):
                raise UsageError(f"--{option.replace('_', '-')} does not go with --config: write it there")
        boot = from_config(args)
        boot.drives = attached(args.disk, args)
        return boot
    if args.file:
        raise UsageError("--file goes with --config")
    if not (args.kernel or args.multiboot or args.flat or args.disk):
        raise UsageError("which guest? One of --kernel, --multiboot, --flat, --disk and --config is needed")
    if args.module and not args.multiboot:
        raise UsageError("--module goes with --multiboot")
    if args.initrd and not args.kernel:
        raise UsageError("--initrd goes with --kernel")
    if args.append is not None and not (args.kernel or args.multiboot):
        raise UsageError("--append goes with --kernel and --multiboot")
    if args.trace_insns and not (args.trace_memory or getattr(args, "trace", None)):
        raise UsageError("--trace-insns goes with --trace or --trace-memory")
    if args.trace_insns and getattr(args, "gdb", None):
        raise UsageError("--trace-insns does not go with --gdb, which has the guest's steps to itself")
    return from_options(args, debug_exit, run)
