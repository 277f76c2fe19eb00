"""tools/pxhv by itself: usage, what is on the disk image, what is in the config."""

import fcntl
import shlex
import shutil
import struct
import subprocess
from importlib import import_module

import pytest
from conftest import BUILD, ROOT, pxhv_command

PARTITION = 1 << 20


def partition_file(disk, name) -> bytes:
    return subprocess.run(["mtype", "-i", f"{disk}@@{PARTITION}", f"::{name}"], check=True, capture_output=True).stdout


@pytest.mark.parametrize("args", [
    [],
    ["fly"],
    ["run"],
    ["run", "--kernel", "/nowhere/vmlinuz"],
    ["run", "--flat", "guest.bin"],
    ["run", "--flat", "guest.bin@0x7C00:32"],
    ["run", "--flat", "guest.bin@zero:16"],
    ["run", "--flat", "{guest}@0x7C00:16", "--kernel", "{guest}"],
    ["run", "--flat", "{guest}@0x7C00:16", "--initrd", "{guest}"],
    ["run", "--flat", "{guest}@0x7C00:16", "--memory", "much"],
    ["run", "--flat", "{guest}@0x7C00:16", "--cpus", "0"],
    ["run", "--flat", "{guest}@0x7C00:16", "--timeout", "soon"],
    ["run", "--flat", "{guest}@0x7C00:16", "--file", "{guest}"],
    ["run", "--flat", "{guest}@0x7C00:16", "--engine", "abacus"],
    ["run", "--flat", "{guest}@0x7C00:16", "--trace", "/nowhere/trace.json"],
    ["run", "--flat", "{guest}@0x7C00:16", "--trace-insns"],
    ["run", "--flat", "{guest}@0x7C00:16", "--trace-memory", "16M", "--trace-insns", "7", "--gdb", "1234"],
    ["run", "--flat", "{guest}@0x7C00:16", "--engine", "bochs", "--cpu", "z80"],
    ["run", "--flat", "{guest}@0x7C00:16", "--engine", "bochs", "--media", "nvme"],
    ["run", "--flat", "{guest}@0x7C00:16", "--serial-log", "/nowhere/log"],
    ["run", "--flat", "{guest}@0x7C00:16", "--screenshot", "/nowhere/screen.png"],
    ["run", "--kernel", "{guest}", "--append", "two\nlines"],
    ["run", "--disk", "/nowhere/disk.img"],
    ["run", "--disk", "/"],
    ["run", "--disk", "/dev/null"],
    ["run", "--disk", "{guest}", "--screenshot", "/nowhere/screen.png"],
    ["run", "--config", "/nowhere/pxhv.conf"],
    ["boot", "/nowhere/disk.img"],
    ["image", "--flat", "{guest}@0x7C00:16"],
    ["image", "--flat", "{guest}@0x7C00:16", "-o", "/nowhere/disk.img"],
    ["image", "--flat", "{guest}@0x7C00:16", "-o", "{guest}/disk.img"],
])
def test_bad_usage_is_2(pxhv, echo_build, args):
    args = [a.format(guest=echo_build / "guest.bin") for a in args]
    run = pxhv(*args, build=echo_build)
    assert run.status == 2, run.errors
    assert run.errors and "Traceback" not in run.errors


@pytest.mark.parametrize("args, sentence", [
    (["--memory", "0"], "--memory must be 1M to 1024G in steps of 4K, not '0'"),
    (["--memory", "much"], "--memory: 'much' is not a size"),
    (["--host-memory", "2000G"], "--host-memory must be 1M to 1024G"),
    (["--trace-memory", "1025K"], "--trace-memory must be 1M to 1024G in steps of 4K"),
    (["--trace-insns", "99999"], "'99999' is not a whole number from 1 to 65535"),
    (["--cpus", "9"], "--cpus must be 1 to 8, not 9"),
    (["--cpus", "0"], "'0' is not a whole number from 1 on"),
    (["--timeout", "0"], "'0' is not a number of seconds above 0"),
    (["--gdb", "0"], "'0' is not a port's number, from 1 to 65535"),
    (["--flat", "{guest}@0x10000:16"], "a 16-bit image must lie below 0x10000, not at 0x10000"),
    (["--flat", "{guest}@0x10000000000000000:64"], "is not FILE@ADDR:16 or FILE@ADDR:64"),
    (["--disk", "{guest},ro"] * 5, "more than 4 disks"),
    (["--kernel", "{folder}"], "{folder} is a folder"),
    (["--kernel", "{guest}", "--initrd", "{folder}"], "{folder} is a folder"),
    (["--kernel", "{guest}", "--append", "a" * 2048], "--append is too long (2048 characters, at most 2047)"),
    (["--multiboot", "{guest}", "--module", "{guest} " + "a" * 127], "--module is too long"),
    (["--kernel", "{guest}", "--append", 'a="b" ; c'], '--append has " ; in it, which no config line can hold'),
    (["--multiboot", "{guest}", "--module", '{guest} "a"  #b'], '--module has "  # in it, which no config line can hold'),
    (["--multiboot", "{guest}", *["--module", "{guest}"] * 9], "more than 8 modules"),
    (["--disk", "{folder}"], "{folder} is a folder"),
])
def test_refusals_name_the_option(pxhv, echo_build, tmp_path, args, sentence):
    names = {"guest": echo_build / "guest.bin", "folder": tmp_path}
    what = [] if {"--kernel", "--multiboot", "--flat"} & set(args) else ["--flat", "{guest}@0x7C00:16"]
    run = pxhv("run", *(a.format(**names) for a in what + args), build=echo_build)
    assert run.status == 2 and sentence.format(**names) in run.errors, run.errors


@pytest.mark.parametrize("args, sentence", [
    (["image", "-o", "{folder}/data", "--disk", "{folder}/data"], "cannot write {folder}/data: it is an input"),
    (["image", "-o", "{folder}/data", "--kernel", "{folder}/link"], "cannot write {folder}/data: it is an input"),
    (["image", "-o", "{folder}/link", "--kernel", "{folder}/data"], "cannot write {folder}/link: it is an input"),
    (["image", "-o", "{folder}/conf", "--config", "{folder}/conf"], "cannot write {folder}/conf: it is an input"),
    (["image", "-o", "{folder}", "--kernel", "{guest}"], "cannot write {folder}: it is a folder"),
    (["image", "-o", "/dev/null", "--kernel", "{guest}"], "no regular file. Write a file, then copy it to the stick with dd"),
    (["run", "--serial-log", "{folder}/data", "--kernel", "{folder}/data"], "cannot write {folder}/data: it is an input"),
    (["run", "--trace", "{folder}/conf", "--config", "{folder}/conf"], "cannot write {folder}/conf: it is an input"),
    (["run", "--screenshot", "{folder}/data", "--disk", "{folder}/data"], "cannot write {folder}/data: it is an input"),
    (["symbols", "-o", "{folder}/data", "{folder}/data"], "cannot write {folder}/data: it is an input"),
])
def test_no_output_destroys_an_input(pxhv, echo_build, tmp_path, args, sentence):
    data, conf = tmp_path / "data", tmp_path / "conf"
    data.write_bytes(bytes(1 << 20))
    (tmp_path / "link").symlink_to(data)
    conf.write_text("[vm a]\nflat = data@0:16\n")
    names = {"guest": echo_build / "guest.bin", "folder": tmp_path}
    run = pxhv(*(a.format(**names) for a in args), build=echo_build)
    assert run.status == 2 and sentence.format(**names) in run.errors, run.errors
    assert data.read_bytes() == bytes(1 << 20) and conf.read_text().startswith("[vm a]")
    assert sorted(f.name for f in tmp_path.iterdir()) == ["conf", "data", "link"]


def test_image_is_written_through_a_link(pxhv, echo_build, flat, tmp_path):
    link, disk = tmp_path / "link", tmp_path / "disk.img"
    link.symlink_to(disk)
    for _ in range(2):  # the file that it leads to is new, then it is replaced
        assert pxhv("image", "-o", link, *flat, build=echo_build).status == 0
        assert link.is_symlink() and disk.read_bytes()[510:512] == b"\x55\xaa"
        disk.write_bytes(b"old")


@pytest.mark.parametrize("size", [0, 512, 2 << 20])
def test_boot_takes_boot_disks_only(pxhv, echo_build, tmp_path, size):
    disk = tmp_path / "disk.img"
    disk.write_bytes((bytes(510) + b"\x55\xaa").ljust(size, b"\0")[:size])
    run = pxhv("boot", disk, build=echo_build)
    assert run.status == 2
    assert f"{disk} is no disk of `pxhv image`; to boot a guest's disk: `pxhv run --disk {disk}`" in run.errors


def test_boot_disks_are_no_guests(pxhv, echo_build, flat, tmp_path):
    disk = tmp_path / "disk.img"
    assert pxhv("image", "-o", disk, *flat, build=echo_build).status == 0
    for args in (["--disk", disk], ["--disk", f"{disk},ro"], [*flat, "--disk", disk]):
        run = pxhv("run", *args, build=echo_build)
        assert run.status == 2 and f"{disk} is a boot disk of pxHV: `pxhv boot {disk}` runs it" in run.errors


def test_boot_from_a_block_device(pxhv, echo_build, flat, tmp_path):
    disk = tmp_path / "disk.img"
    assert pxhv("image", "-o", disk, *flat, build=echo_build).status == 0
    try:
        loop = subprocess.run(["/sbin/losetup", "-f", "--show", disk], capture_output=True, text=True)
    except OSError as e:
        pytest.skip(str(e))
    if loop.returncode:
        pytest.skip(loop.stderr)
    device = loop.stdout.strip()
    try:
        run = pxhv("boot", device, "--engine", "qemu", "--stdin", stdin=b"x", build=echo_build)
        refused = pxhv("image", "-o", device, *flat, build=echo_build)
    finally:
        subprocess.run(["/sbin/losetup", "-d", device], check=True)
    run.expect("hello from the boot sector")
    assert run.status == 7
    assert refused.status == 2 and f"cannot write {device}: it is no regular file" in refused.errors


@pytest.mark.parametrize("start, word", [
    (b"", "empty"), (b"QFI\xfb", "qcow2"), (b"KDMV", "VMDK"), (bytes(64) + b"\x7f\x10\xda\xbe", "VDI"), (b"vhdxfile", "VHDX"),
    (b"conectix", "VHD"), (b"odd", "3 bytes"),
])
def test_what_is_no_disk(pxhv, echo_build, tmp_path, start, word):
    disk = tmp_path / "disk.img"
    disk.write_bytes(start and start + bytes(1 << 20))
    run = pxhv("run", "--disk", disk, build=echo_build)
    assert run.status == 2 and f"{disk} " in run.errors and word in run.errors


def test_one_disk_twice(pxhv, echo_build, tmp_path):
    disk, other = tmp_path / "disk.img", tmp_path / "other"
    disk.write_bytes(bytes(1 << 20))
    other.symlink_to(disk)
    run = pxhv("run", "--disk", disk, "--disk", f"{other},ro", build=echo_build)
    assert run.status == 2 and "is given twice" in run.errors


def test_boot_sector_alone_is_a_floppy(pxhv, echo_build, tmp_path):
    sector, disk = tmp_path / "boot.bin", tmp_path / "disk.img"
    sector.write_bytes(b"boot")
    assert pxhv("image", "-o", disk, "--disk", sector, build=echo_build).status == 0
    assert "\nfloppy = boot.bin\n" in partition_file(disk, "pxhv.conf").decode()
    assert partition_file(disk, "boot.bin") == b"boot".ljust(1440 << 10, b"\0")


def test_image_layout(pxhv, echo_build, flat, tmp_path):
    disk = tmp_path / "disk.img"
    assert pxhv("image", "-o", disk, *flat, build=echo_build).status == 0
    data = disk.read_bytes()
    assert data[:440] == (echo_build / "mbr.bin").read_bytes()[:440]
    assert data[510:512] == b"\x55\xaa"
    assert data[512:PARTITION].rstrip(b"\0") == (echo_build / "pxhv.bin").read_bytes().rstrip(b"\0")
    active, kind, start, sectors = struct.unpack("<B3xB3xII", data[446:462])
    assert (active, kind, start) == (0x80, 0x0C, 2048)
    assert data[462:510] == bytes(48)
    assert (start + sectors) * 512 == len(data)
    clusters = (sectors - 32) // 1
    assert clusters > 65525 and data[PARTITION + 82:PARTITION + 90] == b"FAT32   "
    (tmp_path / "partition").write_bytes(data[PARTITION:])
    check = shutil.which("fsck.fat", path="/usr/sbin:/sbin:/usr/bin")
    subprocess.run([check, "-n", tmp_path / "partition"], check=True, stdout=subprocess.DEVNULL)


def test_image_is_reproducible(pxhv, echo_build, flat, tmp_path):
    for name in "ab":
        assert pxhv("image", "-o", tmp_path / name, *flat, build=echo_build).status == 0
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_other_images_have_other_boot_sectors(pxhv, echo_build, tmp_path):
    """pxHV finds its own disk by that; all of these are one for the tool."""
    kernel, disk, sectors = tmp_path / "kernel", tmp_path / "disk.img", set()
    for size, words in ((1000, "a"), (1000, "b"), (1001, "a")):
        kernel.write_bytes(bytes(size))
        assert pxhv("image", "-o", disk, "--kernel", kernel, "--append", words, build=echo_build).status == 0
        sectors.add(disk.read_bytes()[:512])
        assert "is a boot disk of pxHV" in pxhv("run", "--disk", disk, build=echo_build).errors
    assert len(sectors) == 3


def test_image_holds_large_files(pxhv, echo_build, tmp_path):
    kernel, initrd = tmp_path / "kernel with a blank", tmp_path / "Initrd-Of-A-Certain-Size.img"
    kernel.write_bytes(b"k" * 1000)
    with open(initrd, "wb") as f:
        f.truncate(400 << 20)
    disk = tmp_path / "disk.img"
    run = pxhv("image", "-o", disk, "--kernel", kernel, "--initrd", initrd, "--append", 'a="b" c ; "d"', build=echo_build)
    assert run.status == 0, run.errors
    assert partition_file(disk, "pxhv.conf").decode() == (
        '[vm guest]\nkernel = vmlinuz\ninitrd = Initrd-Of-A-Certain-Size.img\ncmdline = "a="b" c ; "d""\n'
        "memory = 256M\ncpus = 1\n")
    assert partition_file(disk, "vmlinuz") == b"k" * 1000
    assert len(partition_file(disk, "Initrd-Of-A-Certain-Size.img")) == 400 << 20


def test_image_of_a_size(pxhv, echo_build, flat, tmp_path):
    """The room in it is the user's: a file that the default size has no room for."""
    disk, data = tmp_path / "disk.img", tmp_path / "data.img"
    with open(data, "wb") as f:
        f.truncate(100 << 20)
    copy = ["mcopy", "-i", f"{disk}@@{PARTITION}", data, "::"]
    assert pxhv("image", "-o", disk, *flat, build=echo_build).status == 0
    assert b"Disk full" in subprocess.run(copy, capture_output=True).stderr
    run = pxhv("image", "-o", disk, "--size", "400M", *flat, build=echo_build)
    assert run.status == 0, run.errors
    subprocess.run(copy, check=True)
    data = disk.read_bytes()
    assert len(data) == 400 << 20
    assert struct.unpack("<II", data[454:462]) == (2048, (400 << 20) // 512 - 2048)
    (tmp_path / "partition").write_bytes(data[PARTITION:])
    check = shutil.which("fsck.fat", path="/usr/sbin:/sbin:/usr/bin")
    subprocess.run([check, "-n", tmp_path / "partition"], check=True, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize("size, file, sentence", [
    ("0", 1, "--size 0M is too small: the least for these files is 35M"),
    ("34M", 1, "--size 34M is too small: the least for these files is 35M"),
    ("100M", 100 << 20, "--size 100M is too small: the least for these files is 105M"),
    ("1025G", 1, "a boot disk has at most 1024G"),
    ("8G", 4 << 30, "has 4 GiB or more, which no file of a FAT32 partition can have"),
])
def test_image_of_no_size(pxhv, echo_build, tmp_path, size, file, sentence):
    kernel, disk = tmp_path / "kernel", tmp_path / "disk.img"
    with open(kernel, "wb") as f:
        f.truncate(file)
    run = pxhv("image", "-o", disk, "--size", size, "--kernel", kernel, build=echo_build)
    assert run.status == 2 and sentence in run.errors, run.errors
    assert not disk.exists()


def test_the_least_size_holds_the_files(pxhv, echo_build, tmp_path):
    kernel, disk = tmp_path / "kernel", tmp_path / "disk.img"
    for file, size in ((32, "35M"), (100, "105M"), (400, "414M")):
        with open(kernel, "wb") as f:
            f.truncate(file << 20)
        run = pxhv("image", "-o", disk, "--size", size, "--kernel", kernel, build=echo_build)
        assert run.status == 0, run.errors


def test_image_headless(pxhv, echo_build, flat, tmp_path):
    disk = tmp_path / "disk.img"
    assert pxhv("image", "-o", disk, "--headless", *flat, build=echo_build).status == 0
    assert partition_file(disk, "pxhv.conf").startswith(b"[pxhv]\nheadless = yes\n")


def test_image_too_large_a_hypervisor(pxhv, echo_build, flat, tmp_path):
    shutil.copy(echo_build / "mbr.bin", tmp_path)
    (tmp_path / "pxhv.bin").write_bytes(bytes(PARTITION))
    run = pxhv("image", "-o", tmp_path / "disk.img", *flat, build=tmp_path)
    assert run.status == 5 and "gap before the partition" in run.errors
    assert not list(tmp_path.glob("disk.img*"))


def image_config(pxhv, echo_build, tmp_path, text, *args):
    (tmp_path / "my.conf").write_bytes(text.encode())
    run = pxhv("image", "-o", tmp_path / "disk.img", "--config", tmp_path / "my.conf", *args, build=echo_build)
    if run.status:
        return run
    return partition_file(tmp_path / "disk.img", "pxhv.conf").decode()


def test_config_takes_its_files_along(pxhv, echo_build, tmp_path):
    (tmp_path / "boot").mkdir()
    (tmp_path / "boot" / "vmlinuz").write_bytes(b"kernel")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "init.img").write_bytes(b"initrd")
    text = "[vm a]\r\nkernel = boot/vmlinuz ; mine\r\ninitrd = \"init.img\"\r\n"
    assert image_config(pxhv, echo_build, tmp_path, text, "--file", tmp_path / "elsewhere" / "init.img") == text
    assert partition_file(tmp_path / "disk.img", "boot/vmlinuz") == b"kernel"
    assert partition_file(tmp_path / "disk.img", "init.img") == b"initrd"


@pytest.mark.parametrize("line", ["kernel = vmlinuz", "flat = a@b:16", "initrd = ../initrd"])
def test_config_names_a_missing_file(pxhv, echo_build, tmp_path, line):
    run = image_config(pxhv, echo_build, tmp_path, f"[vm a]\n{line}\n")
    assert run.status == 2 and "my.conf:2:" in run.errors


def test_run_says_that_a_boot_file_is_lost(pxhv, echo_build, tmp_path):
    conf, warning = tmp_path / "my.conf", "what the guest writes to 'boot:d.img' is lost with this run's disk"
    for name in ("guest.bin", "d.img"):
        (tmp_path / name).write_bytes(b"\xf4" * 1024)
    for disk, lost in (("boot:d.img", True), ("boot:d.img,ro", False), ("file:d.img", False)):
        conf.write_text(f"[vm a]\nflat = guest.bin@0x7C00:16\ndisk = {disk}\n")
        run = pxhv("run", "--config", conf, "--engine", "qemu", "--stdin", stdin=b"x", build=echo_build)
        assert run.status == 7 and (warning in run.errors) == lost, run.errors
        assert warning not in pxhv("image", "--config", conf, "-o", tmp_path / "disk.img", build=echo_build).errors


@pytest.mark.parametrize("folder, output, size, sentence", [
    ("nofolder", "x.img", "64", "no such file: nofolder/boot/grub/grub.cfg"),
    ("empty", "x.img", "64", "no such file: empty/boot/grub/grub.cfg"),
    ("full", "x.img", "abc", "'abc' is no size of an image"),
    ("full", "x.img", "1", "'1' is no size of an image"),
    ("full", "x.img", "", "'' is no size of an image"),
    ("full", "/dev/null", "64", "/dev/null is no regular file"),
])
def test_grub_disk_refuses(tmp_path, folder, output, size, sentence):
    (tmp_path / "empty").mkdir()
    (tmp_path / "full/boot/grub").mkdir(parents=True)
    (tmp_path / "full/boot/grub/grub.cfg").touch()
    done = subprocess.run([ROOT / "tools/grub-disk", folder, output, size], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.startswith(f"grub-disk: {sentence}"), done.stderr
    assert sorted(f.name for f in tmp_path.iterdir()) == ["empty", "full"]


@pytest.mark.parametrize("build, what", [
    ("my dir/src/build", ["BUILD=build", "all"]), ("my dir/src/build/core", ["BUILD=build", "core"]), ("my dir/b", ["BUILD=../b", "all"]),
    ("a b", None),
])
def test_builds_in_a_tree_with_a_blank(tmp_path, monkeypatch, build, what):
    """make itself takes no such names."""
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    project, status = import_module("pxhvlib.project"), import_module("pxhvlib.status")
    made = []
    monkeypatch.setattr(project, "ROOT", tmp_path / "my dir" / "src")
    monkeypatch.setattr(project.subprocess, "run", lambda command, **_: made.append(command) or subprocess.CompletedProcess(command, 1))
    with pytest.raises(status.PxhvError, match="could not build" if what else "no folder whose name has a blank"):
        project.hypervisor(tmp_path / build)
    assert [command[-2:] for command in made] == ([what] if what else [])


def test_a_disk_is_one_runs(pxhv, tmp_path):
    """Whatever has the file already; many may read it."""
    disk = tmp_path / "d.img"
    disk.write_bytes(bytes(1 << 20))
    options = ["run", "--engine", "bochs", "--timeout", "1", "--flat", f"{BUILD}/guest/hello64.bin@0x100000:64", "--disk"]
    with open(disk, "rb") as f:
        fcntl.flock(f, fcntl.LOCK_SH)
        run = pxhv(*options, disk)
        assert run.status == 2 and "d.img is in use by another run" in run.errors
        assert pxhv(*options, f"{disk},ro").status != 2
    assert pxhv(*options, disk).status != 2


@pytest.mark.parametrize("command", [["doctor"], ["run", "--flat", "{guest}@0x100000:64"]])
def test_output_that_cannot_be_written(command):
    args = [a.format(guest=BUILD / "guest" / "hello64.bin") for a in command]
    with open("/dev/full", "wb") as full:
        done = subprocess.run([*pxhv_command(*args)], stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE, timeout=100)
    assert done.returncode == 5 and b"No space left on device" in done.stderr and b"Traceback" not in done.stderr


def test_doctor_for_someone_who_has_read_enough():
    done = subprocess.run(f"{shlex.join(map(str, pxhv_command('doctor')))} | true", shell=True, capture_output=True, timeout=60)
    assert done.stderr == b""


def test_bochs_without_drives_takes_any_media(pxhv):
    run = pxhv("run", "--engine", "bochs", "--disk-media", "nvme", "--timeout", "1", "--flat", f"{BUILD}/guest/hello64.bin@0x100000:64")
    assert "Traceback" not in run.errors
