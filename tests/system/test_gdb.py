"""A stock GDB on guests: our own kernels, a real-mode guest, Linux."""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time

import pexpect
import pytest
from conftest import BUILD, PXHV, assemble, ends, pxhv_command

KERNELS = f"{BUILD}/tests/guests/kernel"
ENGINES = ["bochs", "qemu"]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


class Gdb:
    """GDB at its prompt."""

    def __init__(self, port: int, file: str = ""):
        options = ["-nx", "-q", "-ex", "set pagination off", "-ex", "set confirm off", "-ex", "set remotetimeout 30",
                   "-ex", "set style enabled off", "-ex", "set width 0"]
        self.child = pexpect.spawn("gdb", options + ([str(file)] if file else []), timeout=60, encoding="latin-1", echo=False,
                                   env=os.environ | {"TERM": "dumb"})
        self.child.expect(r"\(gdb\) ")
        self.port = port
        self.do(f"target remote :{port}")

    def again(self) -> None:
        """Ends it as a crash does; a new one takes its place."""
        self.child.kill(signal.SIGKILL)
        self.child.wait()
        self.__init__(self.port)

    def do(self, command: str) -> str:
        """Sends a command and gives what GDB says to it."""
        self.child.sendline(command)
        self.child.expect(r"\(gdb\) ")
        return self.child.before

    def value(self, expression: str) -> int:
        return int(re.search(r"= (0x[0-9a-f]+)", self.do(f"p/x (long){expression}"))[1], 16)

    def interrupt(self) -> str:
        self.child.sendintr()
        self.child.expect(r"\(gdb\) ")
        return self.child.before


@pytest.fixture
def session(terminal):
    """Starts a guest that waits for GDB, and GDB: (the guest's terminal, GDB)."""
    gdbs = []

    def start(engine, *options, file=""):
        port = free_port()
        child = terminal("run", "--engine", engine, "--gdb", port, "--timeout", "160", *options)
        child.expect("waits for GDB on COM2", timeout=120)
        gdbs.append(Gdb(port, file))
        return child, gdbs[-1]

    yield start
    for gdb in gdbs:
        gdb.child.close(force=True)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", ["multiboot", "long"])
def test_kernel(session, engine, name):
    kernel = f"{KERNELS}/{name}.elf"
    child, gdb = session(engine, "--multiboot", kernel, file=kernel)
    assert "_start" in gdb.do("x/i $pc")
    gdb.do("break tick")
    assert re.search(r"Breakpoint 1, tick \(n=(n@entry=)?1\)", gdb.do("continue"))
    assert "kernel_main" in gdb.do("bt")
    assert gdb.value("counter") == 0
    assert re.search(r"Breakpoint 1, tick \(n=(n@entry=)?2\)", gdb.do("continue"))
    gdb.do("delete")
    assert "Old value = 1" in gdb.do("watch counter") + gdb.do("continue")
    gdb.do("delete")
    gdb.do("hbreak tick")
    assert re.search(r"tick \(n=(n@entry=)?3\)", gdb.do("continue"))
    before = gdb.value("$pc")
    gdb.do("stepi")
    assert 0 < gdb.value("$pc") - before < 16
    gdb.do("finish")
    assert gdb.value("counter") == 6
    gdb.do("set var counter = 97")
    gdb.do("delete")
    before = gdb.do("info registers")
    assert "Could not" not in gdb.do("call tick(3)")
    assert gdb.do("info registers") == before
    assert gdb.value("$cr0") & 1
    assert "CPU 0" in gdb.do("info threads")
    assert "exited normally" in gdb.do("continue")
    child.expect("counter 95\r\n")  # 100 + 4 + ... + 10, in hexadecimal
    child.expect(pexpect.EOF)


@pytest.mark.parametrize("engine", ENGINES)
def test_steps_through_everything(session, engine):
    """The first instructions, one by one: the guest notices nothing."""
    kernel = f"{KERNELS}/multiboot.elf"
    child, gdb = session(engine, "--multiboot", kernel, file=kernel)
    gdb.do("stepi 300" if engine == "qemu" else "stepi 80")
    assert gdb.value("$eflags") & 0x100 == 0
    gdb.do("set $eflags = 3")
    assert re.search(r"eflags .*\[ CF ", gdb.do("info registers eflags"))
    assert "exited normally" in gdb.do("continue")
    child.expect("counter 37\r\n")


@pytest.mark.parametrize("engine", ENGINES)
def test_real_mode(session, engine):
    child, gdb = session(engine, "--flat", f"{BUILD}/guest/hello16.bin@0x7C00:16")
    assert gdb.value("$pc") == 0x7C00
    gdb.do("stepi")
    assert gdb.value("$cr0") & 1 == 0
    gdb.do("stepi 10")
    gdb.do("detach")
    child.expect("Hello from real mode")


def test_step_at_an_x87_error(session, tmp_path):
    """The CPU stands there until an interrupt comes, and none does in a step: it ends. Only VT-x's emulator stands still."""
    image = assemble(tmp_path, """
        bits 16
        org 0x7C00
        mov word [0x75 * 4], 0x7D00
        mov word [0x75 * 4 + 2], 0
        mov al, 0xFB
        out 0x21, al
        mov al, 0xDF
        out 0xA1, al
        mov eax, cr0
        and al, ~0x2C
        mov cr0, eax
        fninit
        fldcw [unmasked]
        fldz
        fld1
        fdiv st1
        sti
        nop
        fwait
        jmp $
    unmasked dw 0x37B
        times 0x100 - ($ - $$) db 0
        mov al, 7
        out 0xF4, al
    """)
    child, gdb = session("bochs", "--flat", f"{image}@0x7C00:16")
    gdb.do("stepi 16")
    at = gdb.value("$pc")
    assert "0x9b" in gdb.do("x/xb $pc")
    gdb.do("stepi")
    assert gdb.value("$pc") == at
    assert "exited with code 07" in gdb.do("continue")


@pytest.mark.parametrize("engine", ENGINES)
def test_exit_status(session, tmp_path, engine):
    image = assemble(tmp_path, "bits 64\nmov al, 7\nout 0xF4, al\n")
    child, gdb = session(engine, "--flat", f"{image}@0x100000:64")
    assert "exited with code 07" in gdb.do("continue")
    assert ends(child) == 7


def test_halted_guest_runs_from_elsewhere(session, tmp_path):
    image = assemble(tmp_path, "bits 64\nhlt\nmov al, 7\nout 0xF4, al\n")
    child, gdb = session("qemu", "--flat", f"{image}@0x100000:64")
    gdb.child.sendline("continue")
    child.expect("halted with interrupts off")
    assert "SIGINT" in gdb.interrupt()
    gdb.do("set $pc = 0x100003")  # the OUT
    gdb.do("set $rax = 9")
    assert "exited with code 011" in gdb.do("continue")


def test_config_asks_for_gdb(terminal, tmp_path):
    """And there is no terminal: who has GDB on a guest that halts sees to it there."""
    assemble(tmp_path, "bits 64\nhlt\nmov al, 7\nout 0xF4, al\n")
    (tmp_path / "my.conf").write_text("[vm a]\nflat = guest.bin@0x100000:64\ndebug-exit = yes\ngdb = com2\n")
    port = free_port()
    run = pxhv_command("run", "--engine", "qemu", "--config", tmp_path / "my.conf", "--gdb", port, "--timeout", "60")
    child = terminal(command=["/bin/sh", "-c", f"{shlex.join(run)} </dev/null"])
    child.expect("waits for GDB on COM2")
    gdb = Gdb(port)
    assert gdb.value("$pc") == 0x100000
    gdb.child.sendline("continue")
    child.expect("halted with interrupts off")
    assert "SIGINT" in gdb.interrupt()
    gdb.do("set $pc = 0x100003")  # the OUT
    gdb.do("set $rax = 7")
    assert "exited with code 07" in gdb.do("continue")
    assert ends(child) == 7


@pytest.mark.parametrize("engine", ENGINES)
def test_kill(session, engine):
    child, gdb = session(engine, "--multiboot", f"{KERNELS}/pvh.elf", file=f"{KERNELS}/pvh.elf")
    gdb.do("kill")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


@pytest.mark.parametrize("engine", ENGINES)
def test_gdb_dies(session, engine):
    """What it had set goes with it."""
    kernel = f"{KERNELS}/multiboot.elf"
    child, gdb = session(engine, "--multiboot", kernel, file=kernel)
    gdb.do("break tick")
    assert "Breakpoint 1, tick" in gdb.do("continue")
    tick = gdb.value("&tick")
    gdb.do("watch counter")
    gdb.again()
    assert gdb.value("$pc") == tick
    assert "0xcc" not in gdb.do(f"x/xb {tick}")
    assert "exited normally" in gdb.do("continue")
    child.expect("counter 37\r\n")


@pytest.mark.parametrize("engine", ENGINES)
def test_dead_guest_stays(session, engine):
    """Its stack gone and no IDT: the first push ends it, and GDB can look at the remains."""
    kernel = f"{KERNELS}/multiboot.elf"
    child, gdb = session(engine, "--multiboot", kernel, file=kernel)
    gdb.do("stepi")
    gdb.do("set var $pc = 0x30000000")
    assert "SIGSEGV" in gdb.do("continue")
    assert gdb.value("$pc") >= 0x30000000
    gdb.do("continue")
    child.expect("died: ")


@pytest.mark.parametrize("engine", ENGINES)
def test_dead_guest_without_gdb(session, engine):
    """A GDB that crashes while it looks at a dead guest leaves a monitor that answers."""
    kernel = f"{KERNELS}/multiboot.elf"
    child, gdb = session(engine, "--multiboot", kernel, file=kernel)
    gdb.do("set var $pc = 0x30000000")
    assert "SIGSEGV" in gdb.do("continue")
    gdb.child.kill(signal.SIGKILL)
    child.expect_exact("pxhv> ")
    child.send("reset\r")
    child.expect("waits for GDB")
    gdb.__init__(gdb.port)
    assert "exited normally" in gdb.do("continue")
    child.expect("counter 37\r\n")


@pytest.mark.parametrize("engine", ENGINES)
def test_dead_guest_after_a_detach(session, engine):
    """It waits for a GDB that comes back, and `kill` ends the run."""
    kernel = f"{KERNELS}/multiboot.elf"
    child, gdb = session(engine, "--multiboot", kernel, file=kernel)
    gdb.do("set var $pc = 0x30000000")
    gdb.do("detach")
    child.expect("stays for GDB")
    gdb.again()
    assert gdb.value("$pc") >= 0x30000000
    assert "the VM has ended" in gdb.do("monitor step")
    gdb.do("kill")
    assert ends(child) == 3


@pytest.mark.parametrize("engine", ENGINES)
def test_monitor_commands(session, engine):
    """GDB's `monitor`, and the console's while GDB holds the guest."""
    kernel = f"{KERNELS}/multiboot.elf"
    child, gdb = session(engine, "--multiboot", kernel, file=kernel)
    assert "rip    " in gdb.do("monitor info regs")
    assert "guest-physical" in gdb.do("monitor translate rip")
    assert "GDB has the VM" in gdb.do("monitor cont")
    gdb.do("set $eax = 0x1111")
    assert "rax    0000000000001111" in gdb.do("monitor info regs")
    gdb.do("monitor set rcx 0x77")
    gdb.do("maintenance flush register-cache")
    assert gdb.value("$ecx") == 0x77 and gdb.value("$eax") == 0x1111
    gdb.do("set $eax = 0x2BADB002")  # by which the kernel knows its loader
    assert "no command 'nonsense'" in gdb.do("monitor nonsense")
    child.send("\x01c")
    child.expect_exact("pxhv> ")
    child.send("info vms\r")
    child.expect(r"guest \(multiboot, ")
    child.expect_exact("pxhv> ")
    child.send("step\r")
    child.expect_exact("GDB has the VM")
    gdb.do("monitor poweroff")
    child.expect(pexpect.EOF)


@pytest.fixture(scope="session")
def start_kernel(tmp_path_factory):
    """The Linux of `make linux` without KASLR: start_kernel's address, and a file with that symbol, as the guest itself knows it."""
    child = pexpect.spawn(sys.executable, [str(PXHV), "run", "--engine", "qemu", "--timeout", "100", "--kernel",
                                           f"{BUILD}/linux/vmlinuz", "--initrd", f"{BUILD}/linux/initrd.img", "--append",
                                           "console=ttyS0 quiet nokaslr cryptomgr.notests"],
                          env=os.environ | {"PXHV_BUILD": str(BUILD)}, timeout=90, encoding="latin-1")
    child.expect("pxhv:~# ")
    child.send("grep -w start_kernel /proc/kallsyms\r")
    child.expect(r"([0-9a-f]{16}) T start_kernel")
    address = child.match[1]
    child.close(force=True)
    folder = tmp_path_factory.mktemp("symbols")
    (folder / "System.map").write_text(f"{address} T start_kernel\n")
    subprocess.run(pxhv_command("symbols", folder / "System.map", "-o", folder / "linux"), check=True)
    return int(address, 16), folder / "linux"


@pytest.mark.parametrize("engine", ENGINES)
def test_linux(session, engine, start_kernel):
    child, gdb = session(engine, "--kernel", f"{BUILD}/linux/vmlinuz", "--initrd", f"{BUILD}/linux/initrd.img", "--append",
                         "console=ttyS0 quiet nokaslr cryptomgr.notests", file=start_kernel[1])
    # not mapped yet
    assert "Breakpoint 1 at" in gdb.do("break start_kernel")
    assert "Breakpoint 1, " in gdb.do("continue")
    assert gdb.value("$pc") == start_kernel[0]
    assert gdb.value("$cr0") >> 31 & 1
    gdb.do("stepi 100")
    gdb.do("delete")
    gdb.child.sendline("continue")
    child.expect("Welcome to Linux", timeout=120)
    child.expect("pxhv:~# ")
    assert "SIGINT" in gdb.interrupt()
    assert gdb.value("$pc") >> 47 in (0, 0x1FFFF)
    gdb.child.sendline("continue")
    gdb.child.expect("Continuing")
    gdb.again()  # while the guest runs
    assert gdb.value("$pc") >> 47 in (0, 0x1FFFF)
    gdb.do("detach")
    child.send("echo $((6 * 7))\r")
    child.expect("\r\n42\r\n")
    child.send("poweroff -f\r")
    child.expect(pexpect.EOF)


def test_hypervisor(pxhv):
    """What `make gdb` starts: breakpoints in exit handlers, the way there, and what a vcpu is doing."""
    run = pxhv("gdb", "--flat", f"{BUILD}/guest/hello64.bin@0x100000:64", "--batch", "--ex", "hbreak exit_cpuid", "--ex", "continue",
               "--ex", "bt", "--ex", "pxhv-vcpu", "--ex", "pxhv-vmcb")
    run.expect("stopped at hv_main", "#0 +exit_cpuid", "in svm_enter", "in svm_run", "in vm_run", "in hv_main",
               "vm guest, vcpu 0: rip 0x100", "CPUID", "exitcode +0x72")


def test_ctrl_c_is_gdbs(terminal):
    """It stops the hypervisor, and neither the tool nor QEMU goes."""
    child = terminal("gdb", "--flat", f"{BUILD}/tests/guests/echo.bin@0x100000:64")
    child.expect("stopped at hv_main")
    child.expect(r"\(gdb\) ")
    child.sendline("continue")
    child.expect("Continuing")
    time.sleep(1)
    child.sendintr()
    child.expect("SIGINT")
    child.expect(r"\(gdb\) ")
    child.sendline("kill")
    child.expect(r"\(gdb\) ")
    child.sendline("quit")
    assert ends(child) == 0
