"""A PC with a screen and a keyboard and no serial port."""

import json
import subprocess
import time

import pytest
from conftest import BUILD, assemble

PROMPT = "pxhv> "
ECHO = ("--flat", f"{BUILD}/tests/guests/echo.bin@0x100000:64")


class Screen:
    """QEMU without a serial port: the screen as text, keys by name."""

    def __init__(self, disk, folder):
        self.dump = folder / "screen.bin"
        self.process = subprocess.Popen([
            "qemu-system-x86_64", "-nodefaults", "-display", "none", "-device", "VGA", "-cpu", "max", "-m", "512M", "-qmp",
            "stdio", "-drive", f"if=ide,format=raw,file={disk}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.execute("qmp_capabilities")

    def execute(self, name, **arguments):
        self.process.stdin.write(json.dumps({"execute": name, "arguments": arguments}).encode() + b"\n")
        self.process.stdin.flush()
        while "return" not in json.loads(self.process.stdout.readline()):
            pass

    def keys(self, *names):
        for name in names:
            codes = [{"type": "qcode", "data": code} for code in name.split("-")]
            self.execute("send-key", keys=codes, **{"hold-time": 20})
            time.sleep(0.1)

    def rows(self):
        self.execute("pmemsave", val=0xB8000, size=4000, filename=str(self.dump))
        return self.dump.read_bytes()[::2].decode("latin-1")

    def wait_for(self, text):
        for _ in range(100):
            rows = self.rows()
            if text in rows:
                return
            time.sleep(0.1)
        pytest.fail(f"no {text!r} on the screen:\n" + "\n".join(rows[i:i + 80] for i in range(0, 2000, 80)))


@pytest.fixture
def screen(pxhv, tmp_path):
    """Boots a disk with the guest that the options name."""
    started = []

    def start(*options):
        disk = tmp_path / "disk.img"
        assert pxhv("image", "-o", disk, *options).status == 0
        started.append(Screen(disk, tmp_path))
        return started[-1]

    yield start
    for s in started:
        s.process.kill()
        s.process.communicate()


def test_screen_and_keyboard(screen):
    screen = screen(*ECHO)
    screen.wait_for("echo")
    screen.keys("ctrl-a", "c")
    screen.wait_for("pxHV monitor: ")
    screen.keys(*"inf", "tab", *"vmz", "backspace", "s", "ret")
    screen.wait_for("guest (flat, AMD-V")
    screen.keys("up", "ret")
    screen.keys("ctrl-a", "c", "a")
    screen.wait_for("[a]")


def test_looking_back(screen):
    """Shift-PgUp shows what has left the screen, until something is written."""
    screen = screen(*ECHO)
    screen.wait_for("echo")
    story = screen.rows()
    screen.keys("ctrl-a", "c", *"help", "ret", *"info", "spc", *"host", "ret")
    screen.wait_for("info host")
    screen.keys(*"help", "ret", "a")
    screen.wait_for("pxhv> a ")
    present = screen.rows()
    assert not {story[:800], story[800:]} & {present[:800], present[800:]}
    shown, views = "", []
    while screen.keys("shift-pgup") or shown != screen.rows():
        shown = screen.rows()
        views.append(shown)
    assert len(views) > 1 and "Pixel Hypervisor" in shown
    screen.keys(*["shift-pgdn"] * len(views))
    assert screen.rows() == present
    screen.keys("shift-pgup")
    assert screen.rows() == views[0]
    screen.keys("b")
    screen.wait_for("pxhv> ab ")
    assert screen.rows()[:-80] == present[:-80]


# How the kernels begin: by a Multiboot header, and with the screen in EDI.
KERNEL = """
    bits 32
    org 0x100000
    dd 0x1BADB002, 0x10003, -(0x1BADB002 + 0x10003), 0x100000, 0x100000, 0, 0, start
start:
    mov edi, 0xB8000
"""

# A kernel that fills the screen, a letter a row, writes to COM1 and dies.
PICTURE = KERNEL + """
    mov ax, 0x0741
row:
    mov ecx, 80
    rep stosw
    inc eax
    cmp al, "Y"
    jbe row
    mov ecx, 20000
pass_time:			; for the screen to be looked at
    in al, 0x80
    loop pass_time
    mov dx, 0x3F8
    mov al, 10
    out dx, al
    mov ebx, 0x300000
    lidt [ebx]
    ud2
"""


def test_a_picture_is_not_written_over(screen, tmp_path):
    """The autopsy goes below what the guest had on its screen, to which one can look back."""
    image = assemble(tmp_path, PICTURE)
    screen = screen("--multiboot", image)
    screen.wait_for(PROMPT)
    text, shown = "", ""
    while shown != screen.rows():
        shown = screen.rows()
        text = shown + text
        screen.keys("shift-pgup")
    assert all(chr(letter) * 80 in text for letter in range(ord("A"), ord("Y") + 1))
    assert "first #UD" in text


# A kernel that writes the scan codes it gets to the screen.
SCAN_CODES = KERNEL + """
    mov eax, 0x0720073E		; the prompt
    stosd
key:
    in al, 0x64
    test al, 1
    jz key
    in al, 0x60
    mov ah, al
    shr al, 4
    call digit
    mov al, ah
    and al, 15
    call digit
    jmp key
digit:
    cmp al, 10
    sbb al, 0x69
    das
    stosb
    mov al, 7
    stosb
    ret
"""


@pytest.mark.parametrize("keys, codes", [
    ("f1", "3BBB"), ("f12", "58D8"), ("alt-x", "382DADB8"), ("shift-up", "2AE048E0C8AA"), ("ctrl-alt-f5", "381D3FBFB89D"),
    ("ctrl-alt-delete", "381DE053E0D3B89D"), ("shift-a", "2A1E9EAA"), ("pgdn", "E051E0D1")])
def test_keyboard_reaches_a_guest(screen, tmp_path, keys, codes):
    """From the PC's keyboard through the console to the guest's."""
    image = assemble(tmp_path, SCAN_CODES)
    screen = screen("--multiboot", image)
    screen.wait_for("> ")
    screen.keys(keys)
    screen.wait_for("> " + codes + " ")
