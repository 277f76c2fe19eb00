"""How the system tests drive tools/pxhv: with a terminal (pexpect), or without one."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest
from screen import Screen

ROOT = Path(__file__).resolve().parents[2]
PXHV = ROOT / "tools" / "pxhv"
BUILD = Path(os.environ.get("PXHV_BUILD", ROOT / "build"))
PATIENCE = 60  # seconds for one expectation; Bochs does 100 MHz when the PC has nothing else to do


def assemble(folder: Path, code: str) -> Path:
    """The flat binary of NASM's code, which may include what the test guests do."""
    source, image = folder / "guest.asm", folder / "guest.bin"
    source.write_text(code)
    subprocess.run(["nasm", "-f", "bin", "-i", f"{ROOT}/tests/guests/", source, "-o", image], check=True)
    return image


# What terminals take as commands: firmware and busybox send it between words.
ESCAPES = re.compile(r"\x1b(\[[0-9;?]*[a-zA-Z]|c)")


class Run:
    """What a run without a terminal gave."""

    def __init__(self, done: subprocess.CompletedProcess):
        self.status = done.returncode
        self.output = ESCAPES.sub("", done.stdout.decode("latin-1").replace("\r", ""))
        self.errors = done.stderr.decode("utf-8", "replace")

    def expect(self, *patterns: str) -> None:
        """Every pattern occurs in the output, one after the other."""
        at = 0
        for pattern in patterns:
            m = re.compile(pattern).search(self.output, at)
            assert m, f"no {pattern!r} in what follows offset {at}:\n{self.output}\n{self.errors}"
            at = m.end()


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path, monkeypatch):
    """Work folders of runs that a test kills are left in the test's own folder."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))


def pxhv_command(*args) -> list[str]:
    return [sys.executable, str(PXHV), *map(str, args)]


@pytest.fixture
def pxhv():
    """Runs tools/pxhv without a terminal: pxhv("run", "--flat", ...) -> Run."""

    def run(*args, stdin: bytes = b"", build: Path = BUILD, seconds: float = 170) -> Run:
        env = os.environ | {"PXHV_BUILD": str(build)}
        return Run(subprocess.run(pxhv_command(*args), input=stdin, capture_output=True, env=env, timeout=seconds))

    return run


@pytest.fixture
def terminal():
    """Runs tools/pxhv, or another command, in a terminal of its own: a pexpect child, which is ended with the test."""
    children = []

    def spawn(*args, build: Path = BUILD, command: list[str] | None = None) -> pexpect.spawn:
        env = os.environ | {"PXHV_BUILD": str(build)}
        command = command or pxhv_command(*args)
        child = pexpect.spawn(command[0], command[1:], env=env, timeout=PATIENCE, encoding="latin-1",
                              codec_errors="replace")
        children.append(child)
        return child

    yield spawn
    for child in children:
        child.close(force=True)


@pytest.fixture
def screen(terminal):
    """Boots a disk in a terminal and gives its screen."""

    def start(*args) -> Screen:
        child = terminal("run", *args)
        child.setwinsize(30, 100)
        return Screen(child)

    return start


def ends(child: pexpect.spawn) -> int:
    """Waits for the end of the run and gives its status."""
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus if child.signalstatus is None else -child.signalstatus


@pytest.fixture(scope="session")
def echo_build(tmp_path_factory) -> Path:
    """A build folder whose boot sector only echoes the serial port: for tests of the tool itself."""
    folder = tmp_path_factory.mktemp("echo")
    subprocess.run(["nasm", "-f", "bin", Path(__file__).with_name("echo.asm"), "-o", folder / "mbr.bin"], check=True)
    (folder / "pxhv.bin").write_bytes(bytes(range(256)) * 200)
    (folder / "guest.bin").write_bytes(b"\xf4" * 1000)
    return folder


@pytest.fixture
def flat(echo_build) -> list[str]:
    """Options for some guest, where the guest does not matter."""
    return ["--flat", f"{echo_build}/guest.bin@0x7C00:16"]
