"""A stock Linux kernel with disks of its own: found, written, read back, the same after a reboot."""

import hashlib
import os
import subprocess

import pytest
from conftest import BUILD, ends
from matrix import DISK_MACHINES
from test_linux import PROMPT, answer

MIB = 1 << 20
APPEND = "console=ttyS0 quiet cryptomgr.notests"

on_disk_machines = pytest.mark.parametrize("engine, cpu", DISK_MACHINES)


def boot(terminal, engine, cpu, *disks, options=()):
    """Boots Linux with these disks, to its prompt."""
    options = [*options, *(o for d in disks for o in ("--disk", d))]
    child = terminal("run", "--engine", engine, "--cpu", cpu, "--kernel", f"{BUILD}/linux/vmlinuz", "--initrd",
                     f"{BUILD}/linux/initrd.img", "--append", APPEND, *options)
    child.expect("Welcome to Linux")
    child.expect(PROMPT)
    return child


def boot_in_memory(terminal, tmp_path, engine, cpu, *disks):
    """The same with files of the boot partition as disks, which lie in the PC's memory."""
    conf = tmp_path / "pxhv.conf"
    conf.write_text("\n".join(["[vm a]", "kernel = vmlinuz", "initrd = initrd.img", f"cmdline = {APPEND}",
                               *(f"disk = file:{d}" for d in disks)]) + "\n")
    child = terminal("run", "--engine", engine, "--cpu", cpu, "--config", conf, "--file", f"{BUILD}/linux/vmlinuz", "--file",
                     f"{BUILD}/linux/initrd.img")
    child.expect("Welcome to Linux")
    child.expect(PROMPT)
    return child


def empty(path, size):
    with open(path, "wb") as f:
        f.truncate(size)
    return path


def power_off(child):
    child.send("poweroff -f\r")
    assert ends(child) == 0


@on_disk_machines
def test_64_mib_come_back_and_survive_a_reboot(terminal, tmp_path, engine, cpu):
    content = os.urandom(64 * MIB)
    (tmp_path / "source.img").write_bytes(content)

    def sum_of(data):
        return rf"\r\n{hashlib.md5(data).hexdigest()}  -"

    empty(tmp_path / "data.img", 80 * MIB)
    child = boot_in_memory(terminal, tmp_path, engine, cpu, "data.img", "source.img,ro")
    child.timeout = 300
    answer(child, "mke2fs -q /dev/vda >/dev/null && echo made", "\r\nmade")
    answer(child, "mount /dev/vda /mnt; echo mounted", "\r\nmounted")
    answer(child, "dd if=/dev/vdb of=/mnt/r bs=1M && sync && echo copied", "\r\ncopied")
    answer(child, "umount /mnt; mount /dev/vda /mnt; echo again", "\r\nagain")  # nothing of it is cached any more
    answer(child, "md5sum </mnt/r", sum_of(content))
    child.send("umount /mnt; reboot -f\r")
    child.expect("Welcome to Linux")
    child.expect(PROMPT)
    answer(child, "mount /dev/vda /mnt; tail -c 1048576 /mnt/r | md5sum", sum_of(content[-MIB:]))
    power_off(child)


@on_disk_machines
def test_several_disks_in_memory(terminal, tmp_path, engine, cpu):
    content = os.urandom(MIB) + b"the end of an odd file"
    (tmp_path / "a.img").write_bytes(content)
    empty(tmp_path / "b.img", 2 * MIB)
    subprocess.run(["mkfs.fat", "-C", tmp_path / "c.img", "4096"], check=True, capture_output=True,
                   env=os.environ | {"PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"})
    child = boot_in_memory(terminal, tmp_path, engine, cpu, "a.img,ro", "b.img", "c.img")
    answer(child, "cd /sys/block; echo $(cat vd?/size vd?/ro) $(cat vda/serial); cd",
           r"\r\n2049 4096 8192 1 0 0 a\.img\r\n")
    padded = content.ljust(2049 * 512, b"\0")
    answer(child, "md5sum </dev/vda", hashlib.md5(padded).hexdigest())
    answer(child, "echo x >/dev/vda", "not permitted")
    answer(child, "mount -t vfat /dev/vdc /mnt; echo hello >/mnt/File.txt; umount /mnt", "")
    answer(child, "mount -t vfat /dev/vdc /mnt; cat /mnt/FILE.TXT; umount /mnt", "\r\nhello")
    answer(child, "dd if=/dev/urandom of=/dev/vdb bs=1M count=2 2>&1 | tail -n 1", "records out")
    answer(child, "blkdiscard /dev/vdb; md5sum </dev/vdb", hashlib.md5(bytes(2 * MIB)).hexdigest())
    # more than one request takes, and past the end
    answer(child, "dd if=/dev/vdb bs=2M count=1 2>/dev/null | wc -c", r"\r\n2097152\r\n")
    answer(child, "dd if=/dev/vdb bs=1M skip=2 2>/dev/null | wc -c", r"\r\n0\r\n")
    power_off(child)


def test_disks_of_a_config_file(pxhv, tmp_path):
    empty(tmp_path / "d.img", MIB)
    conf = tmp_path / "pxhv.conf"
    conf.write_text("[vm a]\nflat = hello64.bin@0x100000:64\ndisk = file:d.img\ndisk = file:none.img,ro\n"
                    "debug-exit = yes\n")
    (tmp_path / "hello64.bin").write_bytes((BUILD / "guest" / "hello64.bin").read_bytes())
    run = pxhv("run", "--engine", "qemu", "--config", conf, "--timeout", "30")
    assert run.status == 2
    assert f"{conf}:4: no file 'none.img' beside pxhv.conf" in run.errors
    empty(tmp_path / "none.img", MIB)
    run = pxhv("run", "--engine", "qemu", "--config", conf, "--timeout", "30")
    run.expect("Hello from long mode")
    assert run.status == 0
