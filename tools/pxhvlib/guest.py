"""What to run: the user's options or config file, turned into pxhv.conf and the files beside it."""

import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

from .project import parse_size, size_text
from .status import UsageError

DEFAULT_MEMORY = "256M"

# A key of a [vm] section whose value is a file of the boot partition.
FILE_KEY = re.compile(r"""\s*(kernel|initrd|multiboot|module|flat|firmware)\s*=\s*(?:"(.*)"|(.*?))\s*(?:\s[;#].*)?$""")
FLAT = re.compile(r"(.+)@(0[xX][0-9a-fA-F]+|\d+):(16|64)")
PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,99}")


@dataclass
class BootFiles:
    """The content of the boot partition."""

    config: bytes
    files: dict[str, Path] = field(default_factory=dict)  # path on the partition: file on this PC
    memory: int = 0  # bytes that the guests want together

    def add(self, source: Path, fallback: str) -> str:
        """Takes source along and gives its name on the partition: its own if that is a plain one."""
        if not source.is_file():
            raise UsageError(f"no such file: {source}")
        name = source.name if PLAIN_NAME.fullmatch(source.name) else fallback
        taken = {n.lower() for n in self.files} | {"pxhv.conf"}
        if name.lower() in taken and self.files.get(name) != source:
            name = f"{fallback}-{name}"
        self.files[name] = source
        return name


def pxhv_keys(report: bool, args) -> list[str]:
    """What this run wants in the [pxhv] section."""
    headless = report and not (args.command == "run" and sys.stdin and sys.stdin.isatty())
    wanted = {"quiet": args.quiet and "yes", "report": report and "e9", "headless": headless and "yes"}
    return [f"{key} = {value}" for key, value in wanted.items() if value]


def with_pxhv_keys(config: bytes, keys: list[str]) -> bytes:
    """The user's config with our keys in it, instead of the user's own for the same.

    A section of ours goes to the end, so that line numbers in the hypervisor's messages stay the user's. Where
    there is a [pxhv] section already, our lines are put behind its header: a second section is a mistake.
    """
    lines = config.decode("utf-8", "surrogateescape").split("\n")
    header = next((i for i, line in enumerate(lines) if re.match(r"(\ufeff)?\s*\[\s*pxhv\s*\]", line)), None)
    if header is None:
        lines += ["[pxhv]", *keys, ""] if keys else []
    else:
        names = "|".join(key.split()[0] for key in keys)
        for i in range(header + 1, len(lines)):
            if re.match(r"\s*\[", lines[i]):
                break
            if keys and re.match(rf"\s*({names})\s*=", lines[i]):
                lines[i] = ""
        lines[header + 1:header + 1] = keys
    return "\n".join(lines).encode("utf-8", "surrogateescape")


def quoted(key: str, option: str, text: str) -> str:
    """The config line of an option's text, in quotes: it may hold what looks like a comment."""
    if not text.isprintable():
        raise UsageError(f"{option} has a character that no config line can hold")
    return f'{key} = "{text}"'


def from_options(args, report: bool) -> BootFiles:
    """One guest from --kernel, --multiboot or --flat. With report the run's end is told to this tool, debug exits too."""
    boot = BootFiles(b"")
    memory = parse_size(args.memory or DEFAULT_MEMORY)
    keys = pxhv_keys(report, args)
    lines = (["[pxhv]", *keys] if keys else []) + ["[vm guest]"]
    if args.kernel:
        lines.append(f"kernel = {boot.add(Path(args.kernel), 'vmlinuz')}")
        if args.initrd:
            lines.append(f"initrd = {boot.add(Path(args.initrd), 'initrd')}")
        if args.append is not None:
            lines.append(quoted("cmdline", "--append", args.append))
    elif args.multiboot:
        lines.append(f"multiboot = {boot.add(Path(args.multiboot), 'kernel.elf')}")
        for module in args.module:
            name, _, arguments = module.partition(" ")
            lines.append(quoted("module", "--module", f"{boot.add(Path(name), 'module')} {arguments}".strip()))
        if args.append is not None:
            lines.append(quoted("cmdline", "--append", args.append))
    else:
        m = FLAT.fullmatch(args.flat)
        if not m:
            raise UsageError(f"'{args.flat}' is not FILE@ADDR:16 or FILE@ADDR:64")
        lines.append(f"flat = {boot.add(Path(m[1]), 'guest.bin')}@{m[2]}:{m[3]}")
    lines += [f"memory = {size_text(memory)}", f"cpus = {args.cpus}"]
    if report:
        lines.append("debug-exit = yes")
    if getattr(args, "gdb", None):
        lines.append("gdb = com2")
    boot.config = ("\n".join(lines) + "\n").encode("utf-8")
    boot.memory = memory
    return boot


def from_config(args, report: bool) -> BootFiles:
    """The user's config and the files it names, looked up beside it and among --file."""
    path = Path(args.config)
    try:
        config = path.read_bytes()
    except OSError as e:
        raise UsageError(f"cannot read {path}: {e.strerror}") from e
    boot = BootFiles(with_pxhv_keys(config, pxhv_keys(report, args)))
    extra = {}
    for f in map(Path, args.file):
        if not f.is_file():
            raise UsageError(f"no such file: {f}")
        extra[f.name.lower()] = boot.files[f.name] = f
    for number, line in enumerate(config.decode("utf-8", "surrogateescape").splitlines(), 1):
        if size := re.match(r"\s*memory\s*=\s*(\d+[KMGkmg])\s*(?:[;#].*)?$", line):
            boot.memory += parse_size(size[1])
        m = FILE_KEY.match(line)
        name = (m[2] or m[3]) if m else ""
        if not name:
            continue
        if m[1] == "flat":
            name = name.rpartition("@")[0] or name
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
    return boot


def boot_files(args, report: bool) -> BootFiles:
    """The boot partition that the options ask for."""
    if args.config:
        for option in ("initrd", "append", "memory", "module", "gdb"):
            if getattr(args, option, None):
                raise UsageError(f"--{option} does not go with --config: write it there")
        return from_config(args, report)
    if args.file:
        raise UsageError("--file goes with --config")
    if args.module and not args.multiboot:
        raise UsageError("--module goes with --multiboot")
    if args.initrd and not args.kernel:
        raise UsageError("--initrd goes with --kernel")
    if args.flat and args.append is not None:
        raise UsageError("--append goes with --kernel and --multiboot")
    return from_options(args, report)
