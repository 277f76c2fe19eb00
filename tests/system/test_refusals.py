"""What cannot run says why: CPUs, configs, disks, memory. And every boot medium that should work does."""

import os
import subprocess

import pytest
from conftest import BUILD, ends
from matrix import BAD_CONFIGS, FLOPPY_SIZE, GUESTS, MEDIA, REFUSALS

HELLO = f"{BUILD}/guest/hello64.bin"
FLAT = ["--flat", f"{HELLO}@{GUESTS['hello64'].place}"]
PARTITION = 1 << 20


@pytest.mark.parametrize("engine, cpu", REFUSALS)
def test_cpu(pxhv, engine, cpu):
    run = pxhv("run", "--engine", engine, "--cpu", cpu, "--timeout", "60", *FLAT)
    run.expect(REFUSALS[engine, cpu])
    assert run.status == 4, run.output


@pytest.mark.parametrize("media", MEDIA)
def test_boot_medium(pxhv, disk, media):
    if media == "floppy":
        os.truncate(disk, FLOPPY_SIZE)
    run = pxhv("boot", "--engine", "qemu", "--media", media, "--timeout", "60", disk)
    run.expect("Stage 2: Hypervisor loader", *GUESTS["hello64"].prints[:1])
    assert run.status == 0, run.output


def test_boot_from_a_large_partition(pxhv, tmp_path):
    path = tmp_path / "disk.img"
    assert pxhv("image", "--debug-exit", "--size", "2G", "-o", path, *FLAT).status == 0
    assert path.stat().st_size == 2 << 30
    run = pxhv("boot", "--engine", "qemu", "--timeout", "60", path)
    run.expect(*GUESTS["hello64"].prints)
    assert run.status == 0, run.output


@pytest.mark.parametrize("name", BAD_CONFIGS)
def test_config(pxhv, tmp_path, name):
    text, sentence = BAD_CONFIGS[name]
    (tmp_path / "pxhv.conf").write_text(text)
    (tmp_path / "hello64.bin").write_bytes(open(HELLO, "rb").read())
    run = pxhv("run", "--engine", "bochs", "--config", tmp_path / "pxhv.conf", "--timeout", "30")
    run.expect(sentence)
    assert run.status == 4, run.output


@pytest.fixture
def disk(pxhv, tmp_path):
    path = tmp_path / "disk.img"
    assert pxhv("image", "--debug-exit", "-o", path, *FLAT).status == 0
    return path


def boot(pxhv, disk, sentence):
    run = pxhv("boot", "--engine", "bochs", "--timeout", "30", disk)
    run.expect(sentence)
    assert run.status == 4, run.output


def test_missing_kernel(pxhv, disk):
    subprocess.run(["mdel", "-i", f"{disk}@@{PARTITION}", "::hello64.bin"], check=True)
    boot(pxhv, disk, "cannot find 'hello64.bin' on the boot partition")


def test_missing_config(pxhv, disk):
    subprocess.run(["mdel", "-i", f"{disk}@@{PARTITION}", "::pxhv.conf"], check=True)
    boot(pxhv, disk, "cannot find 'pxhv.conf' on the boot partition")


def overwrite(disk, offset, data):
    with open(disk, "r+b") as f:
        f.seek(offset)
        f.write(data)


def test_no_partition(pxhv, disk):
    overwrite(disk, 446, bytes(64))
    boot(pxhv, disk, "no FAT32 partition")


def test_partition_of_another_kind(pxhv, disk):
    overwrite(disk, 450, b"\x83")
    boot(pxhv, disk, "no FAT32 partition.*0x83")


def test_damaged_boot_sector(pxhv, disk):
    overwrite(disk, PARTITION, b"\xff" * 512)
    boot(pxhv, disk, "damaged")


def test_damaged_fat(pxhv, disk):
    """The root directory's cluster chain goes in a circle of free and wild clusters."""
    reserved = int.from_bytes(disk.read_bytes()[PARTITION + 14:PARTITION + 16], "little")
    overwrite(disk, PARTITION + reserved * 512 + 12, b"\x00\x00\x00\x01" * 120)
    run = pxhv("boot", "--engine", "bochs", "--timeout", "30", disk)
    run.expect("damaged|cannot find")
    assert run.status == 4, run.output


def test_damaged_hypervisor(pxhv, disk):
    """A disk that somebody wrote over behind the boot sector."""
    overwrite(disk, 512, bytes(4096))
    run = pxhv("boot", "--engine", "bochs", "--timeout", "10", disk)
    run.expect("(?i)stage 2")
    assert run.status in (4, 124)


def test_not_a_kernel(pxhv):
    run = pxhv("run", "--engine", "bochs", "--timeout", "30", "--kernel", HELLO)
    run.expect("not a Linux kernel")
    assert run.status == 4, run.output


def test_guest_with_too_little_memory(pxhv):
    run = pxhv("run", "--engine", "bochs", "--timeout", "60", "--kernel", f"{BUILD}/linux/vmlinuz", "--memory", "16M")
    run.expect("(?i)memory")
    assert run.status == 4, run.output


def test_pc_with_too_little_memory(pxhv):
    run = pxhv("run", "--engine", "bochs", "--timeout", "60", "--host-memory", "64M", "--memory", "512M", *FLAT)
    run.expect("(?i)memory")
    assert run.status == 4, run.output


def test_refusal_in_a_terminal_ends_too(terminal):
    child = terminal("run", "--engine", "bochs", "--cpu", "bx_generic", *FLAT)
    child.expect(REFUSALS["bochs", "bx_generic"])
    assert ends(child) == 4
