"""A Multiboot kernel's modules: which files they are, and what the guest hears of them."""

from conftest import BUILD
from test_tool import partition_file

KERNEL = f"{BUILD}/tests/guests/kernel/multiboot.elf"


def test_modules_of_one_name(pxhv, echo_build, tmp_path):
    """Each is a file of its own on the boot disk, whose names know no case; one that is given twice is there once."""
    disk, options, loaded = tmp_path / "disk.img", [], []
    for name in ("a/x.bin", "b/X.bin", "c/x.bin", "d/x.bin", "a/x.bin", "a/\u00e4", "b/\u00e4", "c/\u00e4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
        options += ["--module", f"{tmp_path / name} {name}"]
    run = pxhv("image", "-o", disk, "--multiboot", echo_build / "guest.bin", *options, build=echo_build)
    assert run.status == 0, run.errors
    for line in partition_file(disk, "pxhv.conf").decode().splitlines():
        if line.startswith("module = "):
            file, name = line.removeprefix("module = ").strip('"').split()
            assert partition_file(disk, file).decode() == name
            loaded.append(file)
    assert loaded == ["x.bin", "module-X.bin", "module2-x.bin", "module3-x.bin", "x.bin", "module", "module-module", "module2-module"]


def test_arguments_behind_a_tab(pxhv, tmp_path):
    (tmp_path / "x.bin").write_text("xyz")
    (tmp_path / "my.conf").write_text("[vm a]\nmultiboot = multiboot.elf\nmodule = x.bin\tsome words\ndebug-exit = yes\n")
    run = pxhv("run", "--engine", "qemu", "--timeout", "60", "--config", tmp_path / "my.conf", "--file", KERNEL)
    run.expect("module 'x.bin\tsome words' size 3\n", "starts with 78")
    assert run.status == 0
