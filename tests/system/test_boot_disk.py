"""Disks that boot as in any PC: boot sectors, GRUB, an installed Debian."""

import os
import shutil
import signal
import subprocess

import pexpect
import pytest
from conftest import BUILD, ROOT, ends
from hard_disk import ENV, GRUB, SECTOR, read_at
from test_disk import MIB, empty, power_off
from test_firmware import boot_sector, on_both
from test_linux import PROMPT, answer

DEBIAN = BUILD / "debian" / "debian.img"
LOGGED_IN = r"root@pxhv:\S*# "

needs_grub = pytest.mark.skipif(not (GRUB / "boot.img").is_file(), reason="no GRUB: apt-get install grub-pc-bin")
needs_debian = pytest.mark.skipif(not DEBIAN.is_file(), reason=f"no {DEBIAN}: make debian")

# For the menu on the serial line; without it GRUB has the screen and the keyboard.
SERIAL = "serial --unit=0 --speed=115200\nterminal_input serial\nterminal_output serial\n"
MENU = """
set timeout=60
menuentry "Linux" {
	linux /boot/vmlinuz console=ttyS0 quiet cryptomgr.notests
	initrd /boot/initrd.img
}
menuentry "Again from the start" {
	reboot
}
"""


def grub_disk(folder, *config):
    """A disk with GRUB, the test kernel, and a menu of this config."""
    root, image = folder / "root", folder / "grub.img"
    (root / "boot" / "grub").mkdir(parents=True)
    (root / "boot" / "grub" / "grub.cfg").write_text("".join(config))
    for name in ("vmlinuz", "initrd.img"):
        shutil.copy(BUILD / "linux" / name, root / "boot")
    subprocess.run([ROOT / "tools" / "grub-disk", root, image, "32"], check=True)
    return image


@on_both
@needs_grub
def test_grub_on_the_screen(screen, tmp_path, engine, cpu):
    grub = screen("--engine", engine, "--cpu", cpu, "--disk", grub_disk(tmp_path, MENU))
    grub.wait(r"GNU GRUB[\s\S]*\*Linux")
    grub.child.send("\x1b[B")
    grub.wait(r"\*Again from the start")
    grub.child.send("c")
    grub.wait(r"^grub> ?\Z")
    grub.child.send("echo the disk is $root\r")
    grub.wait(r"^the disk is hd0,msdos1")
    grub.child.send("\x1b")
    grub.wait(r"\*Again from the start")
    grub.child.send("\x1b[A")
    grub.wait(r"\*Linux")
    grub.child.send("\r")
    grub.child.expect("Welcome to Linux", timeout=120)
    grub.child.expect(PROMPT)
    answer(grub.child, "cat /proc/cmdline", "BOOT_IMAGE=/boot/vmlinuz console=ttyS0")
    power_off(grub.child)


@needs_grub
def test_grub_on_the_serial_line(terminal, tmp_path):
    child = terminal("run", "--engine", "qemu", "--disk", grub_disk(tmp_path, SERIAL, MENU))
    child.expect(r"\*Linux[\s\S]* automatically in")  # from here on it looks for keys
    child.send("\x1b[B")
    child.expect(r"\*Again")
    child.send("\r")
    child.expect("SeaBIOS")
    child.expect(r"\*Linux[\s\S]* automatically in")
    child.send("\r")
    child.expect("Welcome to Linux", timeout=120)
    child.expect(PROMPT)
    power_off(child)


@needs_grub
def test_grub_starts_multiboot(pxhv, tmp_path):
    root, image = tmp_path / "root", tmp_path / "grub.img"
    (root / "boot" / "grub").mkdir(parents=True)
    (root / "boot" / "grub" / "grub.cfg").write_text(SERIAL + 'set timeout=0\nmenuentry "K" {\n\tmultiboot /k.elf its words\n}\n')
    shutil.copy(BUILD / "tests/guests/kernel/multiboot.elf", root / "k.elf")
    subprocess.run([ROOT / "tools" / "grub-disk", root, image, "16"], check=True)
    run = pxhv("run", "--engine", "qemu", "--disk", image, "--timeout", "60")
    run.expect("magic 2badb002", "cmdline 'its words'")
    assert run.status == 0, run.output


def test_graphics_are_explained(pxhv, tmp_path):
    image = boot_sector(tmp_path, "mov ax, 0x12\nint 0x10\njmp $")
    os.truncate(image, MIB)
    run = pxhv("run", "--engine", "qemu", "--disk", image, "--timeout", "5")
    run.expect("vm 'guest' shows graphics, which stay dark here")


@needs_debian
def test_debian(terminal, tmp_path):
    """To the login prompt; what is written stays, in the guest's next boot and in the image."""
    image = tmp_path / "debian.img"
    subprocess.run(["cp", "--sparse=always", DEBIAN, image], check=True)
    child = terminal("run", "--engine", "qemu", "--memory", "512M", "--disk", image)
    child.timeout = 150

    def log_in():
        child.expect("GNU GRUB")
        child.expect(r"ttyS0\s+pxhv login: ")  # there is one on the screen, too
        child.send("root\r")
        child.expect(LOGGED_IN)

    def command(text, pattern):
        child.send(text + "\r")
        child.expect(pattern)
        child.expect(LOGGED_IN)

    log_in()
    command("systemctl is-system-running; echo state", r"running\r\nstate")
    command("findmnt -no SOURCE /", "/dev/vda1\r\n")
    command("echo kept $((6 * 7)) >note; sync; cat note", "kept 42\r\n")
    child.send("reboot\r")
    log_in()
    command("cat note", "kept 42\r\n")
    child.send("poweroff\r")
    assert ends(child) == 0
    note = subprocess.run(["debugfs", "-R", "cat /root/note", f"{image}?offset={MIB}"], env=ENV, capture_output=True,
                          check=True)
    assert note.stdout == b"kept 42\n"


# Reads the sector behind it, says what it says on screen and serial line, and writes it back changed.
SECTOR_PROGRAM = """
    xor ax, ax
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov sp, 0x7C00
    mov ah, 0x42
    call disk
    mov si, 0x8000
    call say
    mov dword [0x8000], "Read"
    mov ax, 0x4300
    call disk
    mov si, written
    call say
    jmp $
say:
    lodsb
    mov ah, 0x0E
    xor bx, bx
    int 0x10
    mov ah, 1
    xor dx, dx
    int 0x14
    cmp byte [si], 0
    jne say
    ret
disk:
    mov dl, 0x80
    mov si, packet
    int 0x13
    jc $
    ret
written db "written", 0
packet:
    db 16, 0
    dw 1, 0x8000, 0
    dq 1
"""


@on_both
def test_boot_sector_on_a_hard_disk(terminal, tmp_path, engine, cpu):
    image = boot_sector(tmp_path, SECTOR_PROGRAM)
    with open(image, "r+b") as f:
        f.seek(SECTOR)
        f.write(b"from sector 1\r\n")
        f.truncate(MIB)
    child = terminal("run", "--engine", engine, "--cpu", cpu, "--disk", image)
    child.expect("from sector 1")
    child.expect("from sector 1")  # screen and serial line, whichever comes first
    child.expect("written")
    child.send("\x01x")
    assert ends(child) == 0
    assert read_at(image, 1, 15) == b"Read sector 1\r\n"


def test_a_power_cut_loses_nothing_that_the_bios_wrote(pxhv, terminal, tmp_path):
    """Nobody flushes behind INT 13h. The qcow2 image is like a drive with a cache: it forgets what no flush came after."""
    raw, cached, kept = boot_sector(tmp_path, SECTOR_PROGRAM), tmp_path / "disk.qcow2", tmp_path / "kept.img"
    os.truncate(raw, MIB)
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", raw, "-F", "raw", cached], check=True)
    for name in ("bios-256k.bin", "vgabios-isavga.bin"):
        shutil.copy(f"/usr/share/seabios/{name}", tmp_path)
    (tmp_path / "pxhv.conf").write_text("[vm a]\nfirmware = bios-256k.bin\nvgabios = vgabios-isavga.bin\ndisk = nvme0\n")
    image = pxhv("image", "--config", tmp_path / "pxhv.conf", "-o", tmp_path / "boot.img")
    assert image.status == 0, image.errors
    child = terminal(command=["qemu-system-x86_64", "-nodefaults", "-display", "none", "-cpu", "max", "-m", "512M",
                              "-serial", "stdio", "-drive", f"if=ide,format=raw,snapshot=on,file={tmp_path}/boot.img",
                              "-drive", f"if=none,id=d,format=qcow2,cache=writeback,file={cached}",
                              "-device", "nvme,serial=d,drive=d"])
    child.expect("written")
    child.kill(signal.SIGKILL)
    child.expect(pexpect.EOF)
    subprocess.run(["qemu-img", "convert", "-O", "raw", cached, kept], check=True)
    assert read_at(kept, 1, 4) == b"Read"


@on_both
def test_a_disk_that_does_not_boot(pxhv, tmp_path, engine, cpu):
    run = pxhv("run", "--engine", engine, "--cpu", cpu, "--disk", empty(tmp_path / "empty.img", MIB), "--timeout", "12")
    run.expect("Boot failed: not a bootable disk", "No bootable device")
    assert run.status == 124
