"""Guests that boot as a PC does, by SeaBIOS; and those that miss it."""

import os
import re
import struct
import zlib
from pathlib import Path

import pytest
from conftest import ROOT, assemble, ends
from screen import Screen

FREEDOS = Path(os.environ.get("PXHV_GUESTS", ROOT.parent / "shared" / "guests")) / "freedos-fd144.img"
ENGINES = [("qemu", ""), ("bochs", "corei7_skylake_x")]
PROMPT = r"^A:\\>\Z"

on_both = pytest.mark.parametrize("engine, cpu", ENGINES)
needs_freedos = pytest.mark.skipif(not FREEDOS.is_file(), reason=f"no FreeDOS floppy at {FREEDOS}")


def boot_sector(folder: Path, code: str) -> Path:
    return assemble(folder, f"bits 16\norg 0x7C00\n{code}\ntimes 510 - ($ - $$) db 0\ndw 0xAA55\n")


def typed(screen: Screen, line: str) -> str:
    """Types a line at the prompt and gives the screen once the next prompt is there."""
    screen.child.send(line + "\r")
    screen.wait(r"\A\s*A:\\>\Z" if line == "cls" else rf"A:\\>{re.escape(line)}\n[\s\S]*A:\\>\Z")
    return screen.text()


@on_both
@needs_freedos
def test_freedos(screen, engine, cpu):
    dos = screen("--engine", engine, "--cpu", cpu, "--disk", FREEDOS)
    dos.wait(PROMPT)
    text = typed(dos, "dir")
    assert "Volume in drive A is FREEDOS" in text and "COMMAND  COM" in text
    typed(dos, "cls")
    assert "readme.txt => b.txt" in typed(dos, "copy readme.txt b.txt")
    typed(dos, "cls")
    typed(dos, "echo It was written, and kept > c.txt")
    assert "\nIt was written, and kept" in typed(dos, "type c.txt")
    dos.child.send("\x01x")
    assert ends(dos.child) == 0


@needs_freedos
def test_keys_that_dos_knows(screen):
    dos = screen("--engine", "qemu", "--disk", FREEDOS)
    dos.wait(PROMPT)
    typed(dos, "ver")
    dos.child.send("vex\x1b[D\x1b[3~r\r")  # left, delete
    dos.wait(r"A:\\>ver\n[\s\S]*A:\\>ver\n[\s\S]*A:\\>\Z")
    dos.child.send("\x1bOR\r")  # F3: the last line again
    before = dos.wait(r"(A:\\>ver\n[\s\S]*){3}A:\\>\Z").string
    dos.child.send("\x01c")
    dos.wait(r"pxhv> ?\Z")
    dos.child.send("info vms\r")
    dos.wait(r"guest \(firmware, [\s\S]*pxhv> ?\Z")
    dos.child.send("\x01c")
    assert dos.wait(r"A:\\>\Z").string == before
    dos.child.send("\x1b[3;7~")  # Ctrl-Alt-Del
    dos.wait(PROMPT)
    dos.child.send("\x01x")
    assert ends(dos.child) == 0


@on_both
def test_boot_sector(screen, engine, cpu, tmp_path):
    image = boot_sector(tmp_path, """
        xor ax, ax
        mov ds, ax
        mov dx, 0x3F9		; a look for the serial port, as Linux's driver does it: that is no use of it
        mov al, 0x0F
        out dx, al
        mov al, 0
        out dx, al
        mov ax, 3
        int 0x10
        mov si, text
    next:
        lodsb
        mov ah, 0x0E
        int 0x10
        cmp byte [si], 0
        jne next
        mov ax, 0xB800
        mov es, ax
        mov word [es:160 * 2], 0x1E01	; yellow on blue, a face
        xor ax, ax
        int 0x16
        mov ah, 0x0E
        int 0x10
        mov al, "!"
        int 0x10
        jmp $
        text db "from INT 10h ", 0""")
    with open(image, "ab") as f:
        f.truncate(1440 << 10)
    sector = screen("--engine", engine, "--cpu", cpu, "--disk", image)
    text = sector.wait(r"from INT 10h").string
    assert "\n\u263a" in text
    sector.child.send("k")
    sector.wait("from INT 10h k!")
    sector.child.send("\x01x")
    assert ends(sector.child) == 0


@on_both
def test_multiboot_kernel_with_text_screen_and_keyboard(screen, engine, cpu, tmp_path):
    """As tutorials write it: no serial port, and the cursor is left where it was."""
    image = assemble(tmp_path, """
        bits 32
        org 0x100000
        dd 0x1BADB002, 0x10003, -(0x1BADB002 + 0x10003), 0x100000, 0x100000, 0, 0, start
    start:
        mov dword [0xB8000], 0x07690748
    key:
        in al, 0x64
        test al, 1
        jz key
        in al, 0x60
        cmp al, 0x9E		; A is released
        jne key
        mov dword [0xB8004], 0x07410720
        cli
        hlt
    """)
    kernel = screen("--engine", engine, "--cpu", cpu, "--multiboot", image)
    kernel.wait(r"\AHi\Z")
    kernel.child.send("a")
    kernel.wait("halted with interrupts off", 30)  # below the screen, of which this terminal has no row left
    kernel.child.send("\x01c")
    kernel.wait(r"pxhv> ?\Z")
    kernel.child.send("\x01c")
    kernel.wait(r"\AHi A\Z")
    kernel.child.send("\x01x")
    assert ends(kernel.child) == 0


BOTH = """
    bits 32
    org 0x100000
    dd 0x1BADB002, 0x10003, -(0x1BADB002 + 0x10003), 0x100000, 0x100000, 0, 0, start
start:
    mov esp, 0x180000
    mov ebx, 0xB8000
    mov esi, text
    mov ebp, 3
line:
    mov dword [ebx], 0x07470756	; a row of the screen: VG
    add ebx, 160
    mov ecx, 20000
pass_time:				; for the screen to be looked at
    in al, 0x80
    loop pass_time
    mov dx, 0x3F8
next:
    lodsb
    out dx, al
    cmp al, 10
    jne next
    dec ebp
    jnz line
    xor eax, eax
    out 0xF4, al
text: db "one", 10, "two", 10, "three", 10
"""


@pytest.mark.parametrize("console", ["serial", "vga"])
def test_screen_and_serial_port(pxhv, tmp_path, console):
    """A kernel that uses both has the serial line for its port, unless the config says otherwise."""
    image, log = assemble(tmp_path, BOTH), tmp_path / "log"
    run = pxhv("run", "--engine", "qemu", "--multiboot", image, "--console", console, "--serial-log", log, "--timeout", "60")
    assert run.status == 0
    said = log.read_bytes()
    hint = b"vm 'guest' has a text screen, too"
    if console == "serial":
        plain = re.sub(rb"\r?\npxHV: vm 'guest' has a text screen, too: .* shows it here\r?\n", b"", said)
        assert said.count(hint) == 1 and b"one\r\ntwo\r\nthree\r\n" in plain
    else:
        assert hint not in said and b"VG" in said and b"three" in said


@on_both
def test_flat_guest_without_bios_is_told(pxhv, engine, cpu, tmp_path):
    image = boot_sector(tmp_path, "mov ax, 0x0E41\nint 0x10\nhlt")
    run = pxhv("run", "--engine", engine, "--cpu", cpu, "--flat", f"{image}@0x7C00:16", "--timeout", "60")
    run.expect(r"called the BIOS \(INT 10h\), which a flat guest does not have; use --disk")
    assert run.status == 3


def colours(png: bytes) -> set[tuple[int, ...]]:
    """The colours of a picture's pixels: red, green and blue from 0 to 3, as the 16 colours of a text screen have them."""
    chunks, at = {}, 8
    while at < len(png):
        size, kind = struct.unpack(">I4s", png[at:at + 8])
        chunks[kind] = chunks.get(kind, b"") + png[at + 8:at + 8 + size]
        at += 12 + size
    width, height, bits, form = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    pixel = {2: 3, 3: 1}[form]
    assert bits == 8
    data, row, found = zlib.decompress(chunks[b"IDAT"]), bytes(width * pixel), set()
    for y in range(height):
        rule, *line = data[y * (len(row) + 1):][:len(row) + 1]
        for x in range(len(line)):  # how a byte is told by those left of it and above
            left, corner = (line[x - pixel], row[x - pixel]) if x >= pixel else (0, 0)
            guess = left + row[x] - corner
            line[x] += (0, left, row[x], (left + row[x]) // 2, min(left, row[x], corner, key=lambda v: abs(guess - v)))[rule]
            line[x] &= 0xFF
        row = bytes(line)
        found |= {row[x:x + pixel] for x in range(0, len(row), pixel)}
    return {tuple(round(c / 0x55) for c in (p if form == 2 else chunks[b"PLTE"][p[0] * 3:][:3])) for p in found}


@on_both
def test_screenshot(pxhv, engine, cpu, tmp_path):
    image = boot_sector(tmp_path, "mov ax, 0xB800\nmov es, ax\nmov word [es:0], 0x4E41\njmp $")
    shot = tmp_path / "screen.png"
    run = pxhv("run", "--engine", engine, "--cpu", cpu, "--flat", f"{image}@0x7C00:16", "--timeout", "10",
               "--screenshot", shot)
    assert run.status == 124, run.errors
    picture = shot.read_bytes()
    assert picture.startswith(b"\x89PNG") and {(3, 3, 1), (2, 0, 0)} <= colours(picture)  # yellow on red
