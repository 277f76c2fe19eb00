"""A running emulator, whichever it is: a process, its serial line, and what it writes to port 0xE9."""

import ctypes
import signal
import socket
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None)

# What drives hang on, and what pxHV calls them there.
DRIVE_NAMES = {"ide": "ata", "ahci": "ahci", "nvme": "nvme", "virtio": "virtio", "usb": "usb"}
MOST_DRIVES = {"ide": 3, "ahci": 6, "usb": 4}  # beside the boot disk


@dataclass
class Drive:
    """A disk image that is a drive of the PC."""

    path: Path
    readonly: bool = False  # what is written does not reach the file


@dataclass
class Machine:
    """The PC to be emulated."""

    disk: Path
    workdir: Path  # for configs, logs and locks; the caller removes it
    cpu: str = ""  # "" for the engine's default
    cpus: int = 1
    memory: int = 512 << 20  # bytes
    media: str = "ide"  # of the boot disk
    drives: list[Drive] = field(default_factory=list)  # beside the boot disk
    drive_media: str = "ide"  # theirs
    count: bool = False  # QEMU: the TSC counts instructions, so that figures repeat
    inspected: bool = False  # its screen or memory will be asked for, so they must stay when it is off
    debug: bool = False  # a second serial port, for GDB
    person: bool = False  # somebody sits at the terminal: time must run as on their clock


@dataclass
class Emulator:
    """What a started engine gives back. Its stdout carries port 0xE9, among other things."""

    process: subprocess.Popen
    serial: socket.socket
    logs: list[Path]
    # Once, at the end: writes the machine's screen to a file, as a PNG, unless that is None; and gives the content of its
    # memory at (address, size), page by page.
    inspect: Callable[[Path | None, list[tuple[int, int]]], list[bytes]] | None = None
    debug: socket.socket | None = None  # the second serial port

    def log_tail(self, lines: int = 12) -> str:
        """The end of what the emulator logged, for when it ends without having been asked to."""
        text = []
        for log in self.logs:
            if log.exists():
                text += log.read_text(errors="replace").splitlines()[-lines:]
        return "\n".join("    " + line for line in text)

    def stop(self) -> None:
        """Ends it whatever it is doing. All it could lose is in the work folder, locks included."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.serial.close()
        if self.debug:
            self.debug.close()


def die_with_parent() -> None:
    """In the child: no emulator outlives this tool, even when that is killed."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def spawn(command: list[str], workdir: Path, stderr: Path, pass_fds: tuple[int, ...] = ()) -> subprocess.Popen:
    """Starts an emulator off the terminal, so that Ctrl-C there is ours to handle.

    restore_signals=False leaves SIGPIPE ignored as Python has it: Bochs dies of it when a serial peer closes.
    """
    with open(stderr, "wb") as log:
        return subprocess.Popen(command, cwd=workdir, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                                pass_fds=pass_fds, start_new_session=True, restore_signals=False,
                                preexec_fn=die_with_parent)
