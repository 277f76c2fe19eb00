"""The PC that a run's options ask for, as QEMU is told of it."""

import os
import re
from importlib import import_module
from pathlib import Path

import pytest
from conftest import ROOT

MIB = 1 << 20


@pytest.fixture
def host_memory(pxhv, echo_build, tmp_path, monkeypatch):
    """The MiB of the PC that `pxhv run` would start."""
    qemu = tmp_path / "qemu-system-x86_64"
    qemu.write_text('#!/bin/sh\necho "$@" >&2\n')
    qemu.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    def ask(*args):
        run = pxhv("run", "--engine", "qemu", *args, build=echo_build)
        m = re.search(r" -m (\d+)M ", run.errors)
        assert m, run.errors
        return int(m[1])

    return ask


def files(folder, *sizes):
    for name, size in zip("abc", sizes):
        with open(folder / name, "wb") as f:
            f.truncate(size * MIB)


def test_memory_for_the_files(host_memory, tmp_path):
    """Beside the guest's own."""
    files(tmp_path, 20, 30, 40)
    a, b, c = (str(tmp_path / name) for name in "abc")
    assert host_memory("--kernel", a) == 512
    assert host_memory("--kernel", a, "--initrd", b, "--memory", "500M") == 500 + 20 + 30 + 128
    assert host_memory("--multiboot", a, "--module", b, "--module", f"{c} x", "--memory", "500M") == 500 + 20 + 30 + 40 + 128
    assert host_memory("--kernel", a, "--disk", c, "--memory", "500M") == 500 + 20 + 128  # a drive of the PC


@pytest.mark.parametrize("memory", ["500M", '"500M"', "500M ; of all"])
def test_memory_for_a_configs_files(host_memory, tmp_path, memory):
    """But for those that stay on the boot disk."""
    files(tmp_path, 20, 30, 40)
    (tmp_path / "more").mkdir()
    (tmp_path / "b").rename(tmp_path / "more" / "b")
    conf = tmp_path / "my.conf"
    conf.write_text(f"[vm x]\nkernel = a\ninitrd = b\ndisk = boot:c\nmemory = {memory}\n")
    assert host_memory("--config", conf, "--file", tmp_path / "more" / "b") == 500 + 20 + 30 + 128
    conf.write_text(f"[vm x]\nkernel = a\ninitrd = b\ndisk = boot:/C,ro\nmemory = {memory}\n")
    (tmp_path / "C").symlink_to("c")
    assert host_memory("--config", conf, "--file", tmp_path / "more" / "b") == 500 + 20 + 30 + 128
    conf.write_text(f"[vm x]\nkernel = a\ninitrd = b\ndisk = file:c\nmemory = {memory}\n")
    assert host_memory("--config", conf, "--file", tmp_path / "more" / "b") == 500 + 20 + 30 + 40 + 128


@pytest.mark.parametrize("text, mib", [
    ("[vm x]\nkernel = a\n[vm y]\nkernel = a\n", 256 + 256),
    ("\ufeff[vm x]\nkernel = a\n[ vm y ] ; small\nkernel = a\nmemory = 300M\n", 256 + 300),
    ("[pxhv]\nquiet = yes\n[vm x]\nmemory = 300M\nkernel = a\ntrace = 16M\n[vm y]\nkernel = a\n", 300 + 16 + 256),
])
def test_memory_that_a_config_leaves_out(host_memory, tmp_path, text, mib):
    files(tmp_path, 20)
    (tmp_path / "my.conf").write_text(text)
    assert host_memory("--config", tmp_path / "my.conf") == mib + 20 + 128


@pytest.mark.parametrize("args, sentence", [
    (["boot", "{disk}"], "a copy of it can be"),
    (["boot", "{device}"], "with sudo it can be"),
    (["run", "--flat", "{guest}@0x7C00:16", "--disk", "{disk}"], "{disk},ro can be read"),
])
def test_disks_that_the_user_may_not_write(echo_build, tmp_path, monkeypatch, args, sentence):
    """An emulator would say so at length."""
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    cli, status = import_module("pxhvlib.cli"), import_module("pxhvlib.status")
    names = {"guest": echo_build / "guest.bin", "disk": tmp_path / "disk.img", "device": "/dev/sdx"}
    names["disk"].write_bytes(bytes(MIB))
    monkeypatch.setattr("os.access", lambda path, mode: mode == os.R_OK)  # root may write everything
    monkeypatch.setattr(Path, "is_block_device", lambda path: str(path).startswith("/dev"))
    args = cli.parser().parse_args([a.format(**names) for a in args] + ["--engine", "qemu"])
    with pytest.raises(status.UsageError) as e:
        cli.COMMANDS[args.command](args)
    assert str(e.value).endswith(" cannot be written; " + sentence.format(**names))
