"""The core build (features.mk): Linux to the shell on VT-x, and a sentence for whoever asks for more."""

from conftest import BUILD, ends

CORE = BUILD / "core"
HELLO = f"{BUILD}/guest/hello64.bin"
FLAT = ["--flat", f"{HELLO}@0x100000:64"]


def without(name: str) -> str:
    return f"this pxHV was built without '{name}'"


def test_linux(terminal):
    child = terminal("run", "--engine", "bochs", "--kernel", f"{BUILD}/linux/vmlinuz", "--initrd", f"{BUILD}/linux/initrd.img",
                     "--append", "console=ttyS0 quiet cryptomgr.notests", build=CORE)
    child.expect("Welcome to Linux", timeout=120)
    child.expect("pxhv:~# ")
    child.send("\x01c")
    child.expect_exact(without("monitor"))
    child.send("poweroff\r")
    assert ends(child) == 0


def test_amd(pxhv):
    run = pxhv("run", "--engine", "qemu", "--timeout", "60", *FLAT, build=CORE)
    run.expect("this CPU needs AMD-V, but this pxHV was built without 'svm'")
    assert run.status == 4, run.output


def test_config(pxhv, tmp_path):
    lines = {"firmware = hello64.bin": "firmware", "gdb = com2": "gdb", "console = vga": "vga", "trace = 1M": "trace",
             "disk = file:hello64.bin": "disks"}
    (tmp_path / "pxhv.conf").write_text("[vm a]\n" + "\n".join(lines))
    (tmp_path / "hello64.bin").write_bytes(open(HELLO, "rb").read())
    run = pxhv("run", "--engine", "bochs", "--config", tmp_path / "pxhv.conf", "--timeout", "30", build=CORE)
    run.expect(*(rf"pxhv\.conf:{n}: {without(name)}" for n, name in enumerate(lines.values(), 2)))
    assert run.status == 4, run.output


def test_death(pxhv):
    """The autopsy is there without the monitor."""
    run = pxhv("run", "--engine", "bochs", "--timeout", "60", "--flat", f"{BUILD}/tests/guests/triple.bin@0x100000:64", build=CORE)
    run.expect("died: triple fault", "rax +[0-9a-f]{16}", "the last .* exits")
    assert run.status == 3, run.output
