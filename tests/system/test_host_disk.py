"""Drives of the PC as disks of a guest: what it writes is there after power-off."""

import hashlib
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import time

import pexpect
import pytest
from conftest import BUILD, ends
from hard_disk import GRUB, SECTOR, freedos, gpt, mbr, read_at, write_at
from matrix import DRIVES
from screen import Screen
from test_disk import APPEND, MIB, boot, power_off
from test_firmware import FREEDOS, needs_freedos
from test_linux import PROMPT, answer

on_drives = pytest.mark.parametrize("engine, cpu, media", DRIVES)
on_qemu_drives = pytest.mark.parametrize("media", [d[2] for d in DRIVES if d[0] == "qemu"])


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


def build_linux(pxhv, tmp_path, lines, files=()):
    """A boot disk with a Linux guest that has these lines in its [vm]."""
    for name in ("vmlinuz", "initrd.img"):
        shutil.copy(BUILD / "linux" / name, tmp_path)
    conf, image = tmp_path / "pxhv.conf", tmp_path / "boot.img"
    conf.write_text("\n".join(["[vm a]", "kernel = vmlinuz", "initrd = initrd.img", f"cmdline = {APPEND}", *lines]) + "\n")
    run = pxhv("image", "--config", conf, "-o", image, *(o for f in files for o in ("--file", f)))
    assert run.status == 0, run.errors
    return image


@pytest.fixture
def boot_linux(pxhv, terminal, tmp_path):
    """Boots Linux with these lines in its [vm], from a disk that is kept, to its prompt."""

    def start(*lines, files=(), options=()):
        image = tmp_path / "boot.img"
        if not image.exists():
            build_linux(pxhv, tmp_path, lines, files)
        child = terminal("boot", image, "--engine", "qemu", *options)
        child.expect("Welcome to Linux", timeout=120)
        child.expect(PROMPT)
        return child

    return start


@on_drives
def test_linux_writes_and_it_stays(terminal, tmp_path, engine, cpu, media):
    size = (64 if engine == "qemu" else 4) * MIB
    disk, content = tmp_path / "d.img", os.urandom(size)
    disk.write_bytes(content)
    child = boot(terminal, engine, cpu, disk, options=["--disk-media", media])
    child.timeout = 120
    answer(child, "md5sum </dev/vda", rf"\r\n{md5(content)}  -")
    half = size // 2 // MIB
    answer(child, f"dd if=/dev/urandom of=/dev/vda bs=1M seek={half} conv=fsync", "records out")
    child.send("dd if=/dev/vda of=/dev/null bs=1M & reboot -f\r")  # in the middle of it
    child.expect("Welcome to Linux", timeout=120)
    child.expect(PROMPT)
    read = answer(child, "md5sum </dev/vda", r"\r\n([0-9a-f]{32})  -")[1]
    power_off(child)
    written = disk.read_bytes()
    assert md5(written) == read
    assert written[:size // 2] == content[:size // 2] and written[size // 2:] != content[size // 2:]


@on_drives
def test_read_only_and_ends(terminal, tmp_path, engine, cpu, media):
    """Less than a page, and past the end; a disk that nobody may write."""
    a, b, content = tmp_path / "a,1.img", tmp_path / "b.img", os.urandom(MIB)
    a.write_bytes(content)
    b.write_bytes(content)
    child = boot(terminal, engine, cpu, f"{a},ro", b, options=["--disk-media", media])
    answer(child, "cd /sys/block; echo $(cat vd?/size vd?/ro); cd", r"\r\n2048 2048 1 0\r\n")
    answer(child, "echo x >/dev/vda", "not permitted")
    answer(child, "dd if=/dev/vdb skip=2047 2>&- | md5sum", md5(content[-512:]))
    answer(child, "dd if=/dev/zero of=/dev/vdb seek=1001 count=1 conv=fsync", "records out")
    answer(child, "dd if=/dev/vdb skip=2048 2>&- | wc -c", r"\r\n0\r\n")
    power_off(child)
    assert a.read_bytes() == content
    assert b.read_bytes() == content[:1001 * SECTOR] + bytes(SECTOR) + content[1002 * SECTOR:]


NAMES = {"ide": "ata1", "ahci": "ahci0", "nvme": "nvme0", "virtio": "virtio0", "usb": "usb0"}
DEVICES = {
    "ide": ["-device", "ide-hd,bus=ide.0,unit=1,drive=d"],
    "ahci": ["-device", "ahci,id=ahci", "-device", "ide-hd,bus=ahci.0,drive=d"],
    "nvme": ["-device", "nvme,serial=d,drive=d"],
    "virtio": ["-device", "virtio-blk-pci,drive=d"],
    "usb": ["-device", "nec-usb-xhci", "-device", "usb-storage,drive=d"],
    "pxb": ["-device", "pxb,bus_nr=128,id=pxb", "-device", "virtio-blk-pci,drive=d,bus=pxb"],
}


@pytest.fixture
def machine(pxhv, tmp_path):
    """Boots Linux to its prompt on a QEMU of our own, with a drive that QEMU's options describe as node d."""
    children = []

    def start(media, *drive, names=()):
        if not (tmp_path / "boot.img").exists():
            build_linux(pxhv, tmp_path, [f"disk = {name}" for name in names or [NAMES[media]]])
        command = ["-nodefaults", "-no-user-config", "-display", "none", "-machine", "pc", "-cpu", "max", "-m", "512M",
                   "-chardev", "stdio,id=s,signal=off", "-serial", "chardev:s", *drive,
                   "-drive", f"if=none,id=boot,format=raw,snapshot=on,file={tmp_path}/boot.img",
                   "-device", "ide-hd,bus=ide.0,drive=boot,bootindex=0", *DEVICES[media]]
        child = pexpect.spawn("qemu-system-x86_64", command, timeout=60, encoding="latin-1", codec_errors="replace")
        children.append(child)
        child.expect("Welcome to Linux", timeout=120)
        child.expect(PROMPT)
        return child

    yield start
    for child in children:
        child.kill(signal.SIGKILL)
        child.close(force=True)


def write_log(machine, tmp_path, media, cache):
    """A guest writes records until the power is cut, at a random moment; gives how many of those that it told of are there.

    QEMU's qcow2 images are like a drive with a cache: what a new cluster holds is lost unless a flush came after it.
    """
    log, raw, salt = tmp_path / "log.qcow2", tmp_path / "log.raw", os.urandom(4).hex()
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", log, "256M"], check=True)
    child = machine(media, "-drive", f"if=none,id=d,format=qcow2,cache=writeback,file={log}")
    answer(child, f"echo write {cache} >/sys/block/vda/queue/write_cache", "")
    for line in ["i=0; while :; do", f"s=$(echo $i-{salt} | md5sum)", 'echo "$i $s" | dd conv=sync 2>&- |',
                 "dd of=/dev/vda seek=$((i*128)) conv=fsync 2>&-", "echo told $i.; i=$((i+1)); done"]:
        answer(child, f"echo '{line}' >>/log.sh", "")
    child.send("sh /log.sh\r")
    child.expect(rf"(told {random.randint(10, 60)})\.")
    output = child.match[1]
    time.sleep(random.random() / 10)
    child.kill(signal.SIGKILL)
    child.expect(pexpect.EOF)
    child.wait()
    told = int(re.findall(r"told (\d+)\.", output + "." + child.before)[-1])
    subprocess.run(["qemu-img", "convert", "-f", "qcow2", "-O", "raw", log, raw], check=True)
    kept = 0
    for i in range(told + 1):
        digest = md5(f"{i}-{salt}\n".encode())
        kept += read_at(raw, i * 128, 64).startswith(f"{i} {digest}".encode())
    return kept, told + 1


@pytest.mark.parametrize("times", range(2))
@on_qemu_drives
def test_a_power_cut_loses_nothing_that_was_flushed(machine, tmp_path, media, times):
    kept, told = write_log(machine, tmp_path, media, "back")
    assert kept == told and told > 9


def test_a_power_cut_loses_what_was_not(machine, tmp_path):
    """So the test above would see it: the guest believes that the drive has no cache, and flushes nothing."""
    kept, told = write_log(machine, tmp_path, "virtio", "through")
    assert kept < told


@on_qemu_drives
def test_errors_reach_the_guest(machine, tmp_path, media):
    """Bad sectors, and a flush that fails once; the rest of the disk works."""
    disk, content = tmp_path / "d.img", os.urandom(MIB)
    disk.write_bytes(content)
    rules = [{"event": "none", "iotype": "read", "sector": 800}, {"event": "none", "iotype": "write", "sector": 1600},
             {"event": "none", "iotype": "flush", "once": True}]
    node = {"driver": "blkdebug", "node-name": "d", "image": {"driver": "file", "filename": str(disk)}, "inject-error": rules}
    child = machine(media, "-blockdev", json.dumps(node))
    answer(child, "dd if=/dev/vda of=/r skip=800 count=1", "Input/output error")
    answer(child, "dd if=/dev/zero of=/dev/vda seek=1600 count=1 conv=fsync", "Input/output error")
    answer(child, "dd if=/dev/zero of=/dev/vda count=1 conv=fsync", "Input/output error")
    answer(child, "dd if=/dev/zero of=/dev/vda count=1 conv=fsync", "records out")
    for skip in 792, 808:
        answer(child, f"dd if=/dev/vda skip={skip} count=1 2>&- | md5sum", md5(content[skip * 512:][:512]))


@pytest.mark.parametrize("media", NAMES)
def test_discards_reach_the_drive(machine, tmp_path, media):
    """What a guest discards is a hole in the image afterwards, and nothing else is; sticks know no discards."""
    disk, content = tmp_path / "d.img", os.urandom(8 * MIB)
    disk.write_bytes(content)
    child = machine(media, "-drive", f"if=none,id=d,format=raw,discard=unmap,file={disk}")
    if media == "usb":
        answer(child, "blkdiscard /dev/vda", "not supported")
        return
    answer(child, f"blkdiscard -o {SECTOR * 9} -l {4 * MIB} /dev/vda && md5sum </dev/vda; sync",
           md5(content[:SECTOR * 9] + bytes(4 * MIB) + content[SECTOR * 9 + 4 * MIB:]))
    power_off(child)
    after = disk.read_bytes()
    assert after == content[:SECTOR * 9] + bytes(4 * MIB) + content[SECTOR * 9 + 4 * MIB:]


def test_another_host_bridge(machine, tmp_path):
    """A drive on a bus that no bridge of bus 0 leads to."""
    disk, content = tmp_path / "d.img", os.urandom(MIB)
    disk.write_bytes(content)
    child = machine("pxb", "-drive", f"if=none,id=d,format=raw,file={disk}", names=["virtio0"])
    answer(child, "md5sum </dev/vda", rf"\r\n{md5(content)}  -")


def test_a_yanked_stick(machine, tmp_path):
    """Its guest gets errors, for the other sticks nothing changes; and what is no disk is left alone."""
    monitor, images = tmp_path / "monitor", [tmp_path / f"{n}.img" for n in range(3)]
    for image in images:
        image.write_bytes(os.urandom(MIB))
    options = ["-device", "qemu-xhci,p2=8", "-device", "usb-kbd", "-device", "usb-hub", "-monitor", f"unix:{monitor},server=on,wait=off"]
    for node, image in zip("abd", images):
        options += ["-drive", f"if=none,id={node},format=raw,file={image}"]
    # Below a port of USB 3, and one of USB 2.
    options += ["-device", "usb-storage,id=stick,drive=a", "-device", "usb-storage,drive=b,port=8"]
    child = machine("usb", *options, names=["usb0", "usb1", "usb2"])
    sums = [answer(child, f"md5sum /dev/vd{disk}", r"\r\n([0-9a-f]{32})  /")[1] for disk in "abc"]
    assert sorted(sums) == sorted(md5(image.read_bytes()) for image in images)
    yanked = sums.index(md5(images[0].read_bytes()))
    disk, *others = ["abc"[yanked], *"abc".replace("abc"[yanked], "")]
    child.send(f"while dd if=/dev/vd{disk} of=/dev/null iflag=direct bs=64k; do :; done 2>&-; echo over\r")
    time.sleep(1)
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(str(monitor))
        s.sendall(b"device_del stick\n")
        child.expect("it is gone; all that its guest asks of it fails")
    child.expect("\nover")
    answer(child, f"dd if=/dev/vd{disk} of=/dev/null count=1 skip=99", "Input/output error")
    for other in others:
        answer(child, f"echo 3 >/proc/sys/vm/drop_caches; md5sum /dev/vd{other}", sums["abc".index(other)])
        answer(child, f"dd if=/dev/zero of=/dev/vd{other} count=8 conv=fsync", "records out")
    assert all(image.read_bytes()[:4096] == bytes(4096) for image in images[1:])


TABLES = {
    "mbr": (mbr((0x83, 64, 100), (0x83, 200, 300), (0x05, 600, 400)), {2: (200, 300)}),
    "logical": (mbr((0x83, 64, 100), (0x05, 600, 400)), {5: (610, 90), 6: (720, 80)}),
    "gpt": (gpt((0, 0), (100, 163)), {2: (100, 64)}),
}


@pytest.mark.parametrize("table", TABLES)
def test_partitions(boot_linux, tmp_path, table):
    """The guest has its partitions and touches nothing else."""
    head, partitions = TABLES[table]
    disk = tmp_path / "d.img"
    disk.write_bytes(head.ljust(MIB, b"\x55"))
    if table == "logical":
        write_at(disk, 600, mbr((0x83, 10, 90), (0x05, 100, 200)))
        write_at(disk, 700, mbr((0x83, 20, 80)))
    before = disk.read_bytes()
    conf = [f"disk = virtio0p{n}" for n in partitions]
    sizes = " ".join(str(count) for _, count in partitions.values())
    expected = bytearray(before)
    for first, count in partitions.values():
        expected[first * SECTOR:(first + count) * SECTOR] = bytes(count * SECTOR)
    child = boot_linux(*conf, options=["--disk", disk])
    answer(child, "echo $(cat /sys/block/vd?/size)", rf"\r\n{sizes}\r\n")
    answer(child, "for d in /dev/vd?; do cat /dev/zero >$d; done; sync; echo full", "\r\nfull")
    power_off(child)
    assert disk.read_bytes() == bytes(expected)


@pytest.mark.parametrize("media", NAMES)
def test_a_file_of_the_boot_disk(boot_linux, tmp_path, media):
    """boot: writes the file in place, and nothing else of the disk."""
    data, content = tmp_path / "data.img", os.urandom(3 * MIB)
    data.write_bytes(content)
    child = boot_linux("disk = boot:data.img", files=[data], options=["--media", media])
    answer(child, "md5sum </dev/vda", md5(content))
    image = tmp_path / "boot.img"
    before = image.read_bytes()
    at = before.index(content[:4096])
    answer(child, "cat /dev/zero >/dev/vda; sync; echo full", "\r\nfull")
    power_off(child)
    assert image.read_bytes() == before[:at] + bytes(len(content)) + before[at + len(content):]
    child = boot_linux("disk = boot:data.img", options=["--media", media])
    answer(child, "md5sum </dev/vda", md5(bytes(len(content))))
    power_off(child)


REFUSED = {
    "no such drive": (["ahci7"], r"disk 'ahci7': this PC has no such drive; it has ata0 virtio0"),
    "no such partition": (["virtio0p3"], r"disk 'virtio0p3': there is no such partition on the drive"),
    "twice": (["virtio0", "virtio0p1"], r"disk 'virtio0p1': it has blocks in common with disk 'virtio0'"),
    "the boot disk": (["ata0"], r"disk 'ata0': pxHV was booted from it; to let the guest write all over it, put ',boot' behind"),
    "no such file": (["boot:none.img"], r"disk 'boot:none.img': there is no such file on the boot partition"),
}


@pytest.fixture
def refused(pxhv, tmp_path):
    """The output of a run with these disks, which must be refused."""

    def run(*names, options=(), change=None, status=4):
        image, conf, disk = tmp_path / "boot.img", tmp_path / "pxhv.conf", tmp_path / "d.img"
        (tmp_path / "hello64.bin").write_bytes((BUILD / "guest" / "hello64.bin").read_bytes())
        conf.write_text("\n".join(["[vm a]", "flat = hello64.bin@0x100000:64", "debug-exit = yes", *(f"disk = {n}" for n in names)]) + "\n")
        for name in ("data.img", "none.img"):
            (tmp_path / name).write_bytes(bytes(range(256)) * 40)
        done = pxhv("image", "--config", conf, "-o", image)
        assert done.status == 0, done.errors
        subprocess.run(["mdel", "-i", f"{image}@@{MIB}", "::none.img"], capture_output=True)
        disk.write_bytes(mbr((0x83, 64, 100)).ljust(MIB, b"\0"))
        if change:
            change(image)
        done = pxhv("boot", image, "--engine", "qemu", "--disk", disk, "--timeout", "40", *options)
        assert done.status == status, done.output + done.errors
        return done

    return run


@pytest.mark.parametrize("case", REFUSED)
def test_refusals(refused, case):
    names, words = REFUSED[case]
    refused(*names).expect(words)


def test_boot_disk_read_only_or_by_an_explicit_word(refused):
    for name in ("ata0,ro", "ata0,boot"):
        refused(name, status=0).expect("Hello from long mode")


def test_boot_file_without_a_driver(refused):
    done = refused("boot:data.img", options=["--media", "ehci"])
    done.expect(r"no driver for USB by EHCI[\s\S]*pxHV has no driver for the drive it was booted from; use file:")


def test_boot_file_in_pieces(refused):
    """The file's second cluster is moved: its FAT is built by hand."""

    def fragment(image):
        fat = MIB // SECTOR + int.from_bytes(read_at(image, MIB // SECTOR, 16)[14:16], "little")
        table = bytearray(read_at(image, fat, 1 << 16))
        links = [int.from_bytes(table[i:i + 4], "little") for i in range(0, len(table), 4)]
        first = next(i for i in range(3, len(links)) if links[i] == i + 1 and links[i + 19] >= 0x0FFFFFF8)
        spare = len(links) - 1
        table[spare * 4:] = links[first + 1].to_bytes(4, "little")
        table[first * 4:first * 4 + 4] = spare.to_bytes(4, "little")
        write_at(image, fat, bytes(table))

    refused("boot:data.img", change=fragment).expect(r"disk 'boot:data.img': the file is in several pieces")


@pytest.mark.parametrize("engine, cpu, media", DRIVES[-2:])
@needs_freedos
@pytest.mark.skipif(not GRUB.is_dir(), reason="no GRUB (package grub-pc-bin)")
def test_freedos_keeps_a_file(terminal, tmp_path, engine, cpu, media):
    disk = freedos(tmp_path / "dos.img", FREEDOS)

    def start():
        child = terminal("run", "--engine", engine, "--cpu", cpu, "--disk", disk, "--disk-media", media)
        child.setwinsize(30, 100)
        screen = Screen(child)
        screen.wait(r"ready\s+C:\\>\Z")
        return screen

    def typed(screen, line, expected):
        screen.child.send(line + "\r")
        assert expected in screen.wait(rf"C:\\>{re.escape(line)}\n[\s\S]*C:\\>\Z").string
        screen.child.send("cls\r")
        screen.wait(r"\A\s*C:\\>\Z")

    for run in range(2):
        dos = start()
        if run == 0:
            typed(dos, "copy command.com kept.com", "command.com => kept.com")
            typed(dos, "echo It was written > note.txt", "")
        typed(dos, "type note.txt", "\nIt was written")
        typed(dos, "dir kept.com", "KEPT     COM")
        dos.child.send("\x01x")
        assert ends(dos.child) == 0
    original = disk.with_suffix(".files") / "COMMAND.COM"
    subprocess.run(["mcopy", "-i", f"{disk}@@{MIB}", "::KEPT.COM", tmp_path / "kept.com"], check=True)
    assert (tmp_path / "kept.com").read_bytes() == original.read_bytes()
