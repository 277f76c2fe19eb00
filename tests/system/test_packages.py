"""What the tools do with the distribution's packages, whichever it is: Debian's and Ubuntu's kernels, and what is missing."""

import os
import shutil
import subprocess
from importlib import import_module

import pytest
from conftest import ROOT

# An apt with packages of ours, for a user whose language it speaks.
APT_CACHE = """#!/bin/sh
[ "$LC_ALL" = C ] && word=Depends || word="Hängt ab von"
case $2 in
linux-image-virtual) echo "  $word: linux-image-7.0-test" ;;
linux-image-7.0-test) for p in {depends}; do echo "  $word: $p"; done ;;
*) exit 100 ;;
esac
"""
APT_GET = """#!/bin/sh
for name; do
	case $name in
	linux-*) cp {debs}/$name.deb . ;;
	esac
done
"""


def program(folder, name, text):
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)


def deb(folder, name, files):
    """A package with those files."""
    for path, content in files.items():
        (folder / name / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / name / path).write_bytes(content)
    (folder / name / "DEBIAN").mkdir()
    (folder / name / "DEBIAN" / "control").write_text(
        f"Package: {name}\nVersion: 1\nArchitecture: all\nMaintainer: nobody\nDescription: test\n")
    subprocess.run(["dpkg-deb", "-Znone", "-b", folder / name, folder / f"{name}.deb"], check=True, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize("root, packer, apart", [("", "", False), ("usr/", "xz", False), ("", "zstd", True)])
def test_kernels_of_all_distributions(tmp_path, root, packer, apart):
    """Debian 12's, 13's and Ubuntu's: where the modules lie, how they are packed, and whether they are a package of their own."""
    suffix = {"": "", "xz": ".xz", "zstd": ".zst"}[packer]
    module = subprocess.run([packer or "cat"], input=b"the module", check=True, capture_output=True).stdout
    modules = {f"{root}lib/modules/7.0-test/kernel/drivers/virtio_blk.ko{suffix}": module}
    kernel = {"boot/vmlinuz-7.0-test": b"the kernel"}
    deb(tmp_path, "linux-image-7.0-test", kernel if apart else kernel | modules)
    if apart:
        deb(tmp_path, "linux-modules-7.0-test", modules)
    program(tmp_path, "apt-cache", APT_CACHE.format(depends="kmod linux-modules-7.0-test" if apart else "kmod"))
    program(tmp_path, "apt-get", APT_GET.format(debs=tmp_path))
    env = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}
    subprocess.run([ROOT / "tools/guest-linux", tmp_path / "linux"], check=True, env=env)
    assert (tmp_path / "linux/vmlinuz").read_bytes() == b"the kernel"
    assert (tmp_path / "linux/modules/virtio_blk.ko").read_bytes() == b"the module"
    initrd = (tmp_path / "linux/initrd.img").read_bytes()
    assert b"lib/modules/virtio_blk.ko\n" in subprocess.run(["cpio", "-t"], input=initrd, check=True, capture_output=True).stdout


def test_what_is_missing_is_told_where_nobody_may_install_it(tmp_path):
    for name, text in (("dpkg-query", ""), ("apt-get", "exit 9\n"), ("id", "echo 1000\n")):
        program(tmp_path, name, "#!/bin/sh\n" + text)
    for name in ("sh", "dirname", "sed", "awk"):
        (tmp_path / name).symlink_to(shutil.which(name))
    done = subprocess.run([ROOT / "tools/install-deps", "gdb", "guest"], env={"PATH": str(tmp_path)}, capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.endswith(". As root: apt-get install gdb busybox-static cpio xz-utils zstd\n")


def test_what_this_distribution_lacks_is_left_out(tmp_path):
    for name, text in (("dpkg-query", ""), ("apt-cache", '[ "$2" != zstd ]\n'), ("apt-get", 'echo "$@"\n'), ("id", "echo 0\n")):
        program(tmp_path, name, "#!/bin/sh\n" + text)
    env = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run([ROOT / "tools/install-deps", "guest"], env=env, check=True, capture_output=True, text=True)
    assert "apt knows no package zstd here" in done.stderr
    assert done.stderr.splitlines()[-1].endswith("--no-install-recommends busybox-static cpio xz-utils")


def test_missing_program_is_named(monkeypatch):
    """Without mkfs.fat the message names its package."""
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    project = import_module("pxhvlib.project")
    status = import_module("pxhvlib.status")
    with pytest.raises(status.PxhvError, match="apt-get install no-such-program"):
        project.need_program("no-such-program")


def test_doctor(pxhv):
    run = pxhv("doctor")
    assert run.status == 0, run.output
    run.expect("CPU ", "kvm ", "bochs +ready", "qemu ", "auto ")


@pytest.mark.parametrize("here, auto", [
    ("", None), ("bochs", "bochs"), ("qemu-system-x86_64", "qemu"), ("bochs qemu-system-x86_64", "qemu"),
])
def test_doctor_knows_what_runs(monkeypatch, capsys, here, auto):
    """One emulator is enough, whichever it is."""
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    doctor, engine = import_module("pxhvlib.doctor"), import_module("pxhvlib.engine")
    for module in (doctor, engine):
        monkeypatch.setattr(module, "find_program", lambda name: name if name in here.split() else "")
        monkeypatch.setattr(module, "kvm_problem", lambda: "not here")
    assert doctor.run() == (0 if auto else 5)
    assert f"auto     {auto or 'nothing'}" in capsys.readouterr().out
