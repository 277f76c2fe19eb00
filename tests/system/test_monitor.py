"""The monitor, by every command, on serial and on screen and keyboard; and what it does when there is nothing to run."""

import re

import pytest
from conftest import BUILD, ends

ENGINES = ["bochs", "qemu"]
PROMPT = "pxhv> "
GUESTS = f"{BUILD}/tests/guests"

# What each command says of the echo guest, which polls its serial port.
ANSWERS = {
    "help": [r"info vms\|regs", r"poweroff", r"Ctrl-A c goes back"],
    "help st": [r"\Ahelp \[COMMAND\]"],
    "info": [r"info vms\|regs\|cpu"],
    "info vms": [r"guest \(flat, (VT-x|AMD-V), 256 MiB, 1 CPU\): runs"],
    "info regs": [r"r15    123456789abcdef0  rip    00000000001[0-9a-f]{5}"],
    "info cpu": [r"64-bit code, privilege level 0", r"cr0 .* PE .*PG", r"efer .* LME LMA", r"cs 0010 ", r"gdt [0-9a-f]+"],
    "info exits": [r"\d+ exits in all", r"\d+  IO"],
    "info mem": [r"0000000c0000-00000fffffff  RAM at host-physical [0-9a-f]+"],
    "info ept": [r"root [0-9a-f]+, \d+ pages of tables; mapped: \d+ of 4K, \d+ of 2M"],
    "info irq": [r"LAPIC fee00", r"requested", r"8259 masks"],
    "info devices": [r"port 03f8\+8  16550A UART +\d+ accesses", r"IOAPIC", r"nobody's: "],
    "info clock": [r"TSC \d+ Hz; host \d+, guest \d+; up \d+ ms"],
    "info host": [r"of it used, \d+ Hz", r"memory \d+ MiB", r"used +(2 MiB EPT pages|nested paging)",
                  r"(not used|missing) +.*"],
    "x/8xb 0x100000": [r"00100000:( [0-9a-f]{2}){8}\r\n"],
    "x /2xg 0x100000": [r"00100000: [0-9a-f]{16} [0-9a-f]{16}"],
    "x/2dw 0x100000": [r"00100000: -?\d+ -?\d+\r\n"],
    "xp/4xw 0x100000": [r"00100000:( [0-9a-f]{8}){4}\r\n"],
    "x/3i rip": [r"(001[0-9a-f]{5}: [0-9a-f]+ +\S.*\r\n){3}"],
    "x/xg 0x200000000": [r"200000000: not mapped"],
    "xp/xg 0xfffffffffffffff9": [r": no RAM"],
    "x/9999x 0": [r"the format is /N \(to 4096\)"],
    "x/4q 0": [r"the format is"],
    "x": [r"an address is missing"],
    "disas rip 2": [r"(001[0-9a-f]{5}: [0-9a-f]+ +\S.*\r\n){2}"],
    "translate rip": [r"4 levels, cr3", r"level 4 at [0-9a-f]+  [0-9a-f]{16} P", r"guest-physical 1[0-9a-f]{5}",
                      r"host level 4", r"host-physical [0-9a-f]+, a page of (4K|2M|1G), rwx"],
    "translate 0xfec00000": [r"guest-physical fec00000", r"not mapped: an access exits"],
    "translate 0x8000000000000000": [r"not canonical"],
    "trace 3": [r"the last 3 of \d+ exits", r"( *\d+[ M] 00000000001[0-9a-f]{5} \w+ *(\r\n)?){3}"],
    "step rip": [r"1 to 100000 steps"],
    "set nothing 1": [r"no register 'nothing'"],
    "nonsense": [r"no command 'nonsense'; try help"],
    "s": [r"no command 's'"],
    "x rip+r15-1+": [r"'rip\+r15-1\+' is no number"],
    "x 0x10000000000000000": [r"is no number"],
    "1 2 3 4 5 6 7 8": [r"too many words"],
    "log guest": [],
    "log": [r"log quiet\|story\|guest"],
    "log story": [],
    "": [],
}
# Bochs is slow at typing.
CORE = ["info vms", "info regs", "info cpu", "info exits", "info irq", "info host", "x/3i rip", "translate rip", "trace 3"]


class Monitor:
    """A run with the monitor at its prompt."""

    def __init__(self, child):
        self.child = child

    def open(self):
        self.child.send("\x01c")
        self.child.expect_exact("pxHV monitor: ")
        self.child.expect_exact(PROMPT)

    def do(self, command: str) -> str:
        """Types a line and gives what is said to it."""
        self.child.send(command + "\r")
        if command:
            self.child.expect_exact(command + "\r\n")
        self.child.expect_exact(PROMPT)
        return self.child.before

    def back(self):
        self.child.send("\x01c")


@pytest.fixture
def start(terminal):
    def run(engine, name="echo", hello="echo\r\n"):
        child = terminal("run", "--engine", engine, "--quiet", "--timeout", "150", "--flat",
                         f"{GUESTS}/{name}.bin@0x100000:64")
        child.expect_exact(hello)
        return Monitor(child)

    return run


@pytest.mark.parametrize("engine", ENGINES)
def test_commands(start, engine):
    monitor = start(engine)
    monitor.child.send("a")
    monitor.child.expect_exact("[a]")
    monitor.open()
    for command in ANSWERS if engine == "qemu" else CORE:
        text = monitor.do(command)
        for pattern in ANSWERS[command]:
            assert re.search(pattern, text, re.MULTILINE), f"no {pattern!r} in what {command!r} says:\n{text}"
    monitor.back()
    monitor.child.send("b")
    monitor.child.expect_exact("[b]")
    monitor.child.send("q")
    assert ends(monitor.child) == 0


@pytest.mark.parametrize("engine", ENGINES)
def test_stop_step_set_continue(start, engine):
    monitor = start(engine)
    monitor.open()
    first = monitor.do("stop")
    assert re.match(r"001[0-9a-f]{5}: ", first)
    assert "is stopped" in monitor.do("info vms")
    assert monitor.do("x/2i rip").startswith(first)
    regs = monitor.do("info regs")
    assert monitor.do("info regs") == regs
    assert len(re.findall(r"001[0-9a-f]{5}: .*\r\n", monitor.do("step 10"))) == 10
    assert "TF" not in monitor.do("info cpu")
    monitor.do("set r15 0x42")
    assert "r15    0000000000000042" in monitor.do("info regs")
    monitor.back()
    monitor.child.expect_exact("(the VM is stopped)")
    monitor.child.send("c")  # waits for the guest
    monitor.open()
    monitor.do("cont")
    monitor.child.expect_exact("[c]")
    monitor.back()
    monitor.child.send("q")
    assert ends(monitor.child) == 0


def test_step_ends_the_instruction_trace(terminal, tmp_path):
    child = terminal("run", "--engine", "qemu", "--timeout", "60", "--flat", f"{GUESTS}/echo.bin@0x100000:64", "--trace",
                     tmp_path / "trace.json", "--trace-insns", "65535")
    child.expect_exact("VMRUN")
    monitor = Monitor(child)
    monitor.open()
    monitor.do("stop")
    assert "TF" not in monitor.do("info cpu")
    assert len(re.findall(r"001[0-9a-f]{5}: .*\r\n", monitor.do("step 10"))) == 10
    monitor.do("cont")
    child.send("\x01ca")
    child.expect_exact("[a]")
    child.send("q")
    assert ends(child) == 0
    assert 0 < (tmp_path / "trace.json").read_text().count('"name":"instruction"') < 65535


def test_editing(start):
    monitor = start("qemu")
    monitor.open()
    child = monitor.child
    child.send("inf\tv\t")
    child.send("\r")
    child.expect(r"guest \(flat")
    child.expect_exact(PROMPT)
    child.send("\x1b[A\r")  # again
    child.expect(r"guest \(flat")
    child.expect_exact(PROMPT)
    child.send("info regz\x7fs\x1b[Hx\x1b[3~\x01a\x1b[3~i\r")  # Home, Delete; Ctrl-A, which is typed as Ctrl-A a
    child.expect(r"rax    [0-9a-f]{16}")
    child.expect_exact(PROMPT)
    child.send("x" * 300 + "\r")  # the line takes what it can
    child.expect("no command 'x{40}'")
    child.expect_exact(PROMPT)
    child.send("\x1b[99;99R\x00\xff\x80\x1b[\x1bO\r")
    child.expect_exact(PROMPT)
    child.send("\x01x")
    assert ends(child) == 0


def test_reset_and_poweroff(start):
    monitor = start("qemu")
    monitor.open()
    monitor.child.send("reset\r")
    monitor.child.expect_exact("echo\r\n")
    monitor.child.send("a")
    monitor.child.expect_exact("[a]")
    monitor.open()
    monitor.do("stop")
    monitor.child.send("poweroff\r")
    assert ends(monitor.child) == 0


@pytest.mark.parametrize("engine", ENGINES)
def test_invalid_state_is_explained(start, engine):
    """A guest cannot get there by itself; somebody with a debugger can."""
    monitor = start(engine)
    monitor.open()
    monitor.do("stop")
    monitor.do("set cr4 0")
    monitor.child.send("cont\r")
    if engine == "bochs":
        monitor.child.expect_exact("VM entry failed: exit reason 33, invalid guest state")
        monitor.child.expect_exact("CR4: IA-32e mode without PAE")
        monitor.child.expect_exact("died: VM entry failed")
    else:
        monitor.child.expect_exact("died: VMRUN refused the VMCB (VMEXIT_INVALID); QEMU has mixed")
    monitor.child.expect("exits, in ticks since the one before")
    monitor.child.expect_exact(PROMPT)
    monitor.child.send("poweroff\r")
    assert ends(monitor.child) == 3


def test_nmi(start):
    monitor = start("qemu")
    monitor.open()
    monitor.child.send("nmi\r")
    monitor.child.expect(r"FAIL: exception 2 ")


@pytest.mark.parametrize("engine", ENGINES)
def test_dead_guest_can_be_looked_at(start, engine):
    monitor = start(engine, "triple", "falling\r\n")
    monitor.child.expect_exact("died: triple fault")
    monitor.child.expect_exact(PROMPT)
    assert "has died\r\ntriple fault at rip" in monitor.do("info vms")
    assert "ud2" in monitor.do("disas")
    assert "the VM has ended" in monitor.do("cont")
    assert "the VM has ended" in monitor.do("step")
    assert "the VM has ended" in monitor.do("nmi")
    monitor.child.send("reset\r")
    monitor.child.expect_exact("falling\r\n")
    monitor.child.expect_exact(PROMPT)
    monitor.child.send("poweroff\r")
    assert ends(monitor.child) == 3


@pytest.mark.parametrize("engine", ENGINES)
def test_config_with_mistakes(terminal, tmp_path, engine):
    (tmp_path / "pxhv.conf").write_text("[vm a]\nmemroy = 64M\n")
    child = terminal("run", "--engine", engine, "--config", tmp_path / "pxhv.conf", "--timeout", "60")
    child.expect(r"pxhv\.conf:2: unknown key 'memroy'")
    child.expect_exact(PROMPT)
    monitor = Monitor(child)
    assert "of it used" in monitor.do("info host")
    assert "there is no VM" in monitor.do("info regs")
    assert "there is no VM" in monitor.do("stop")
    assert "is no number" not in monitor.do("log story")
    child.send("poweroff\r")
    assert ends(child) == 4


def test_headless_run_ends(pxhv):
    run = pxhv("run", "--engine", "qemu", "--timeout", "60", "--flat", f"{GUESTS}/triple.bin@0x100000:64")
    assert run.status == 3
    assert PROMPT not in run.output


def test_halted_guest_that_nobody_looks_at(pxhv, tmp_path):
    """The config says that somebody is there; without a terminal nobody is."""
    (tmp_path / "my.conf").write_text("[vm a]\nflat = halt.bin@0x100000:64\n")
    run = pxhv("run", "--engine", "qemu", "--timeout", "60", "--config", tmp_path / "my.conf", "--file", f"{GUESTS}/halt.bin")
    run.expect("halting for good", "vm 'a': halted with interrupts off")
    assert run.status == 3


def test_no_progress(pxhv):
    """VT-x alone: QEMU arms no debug registers in its guests."""
    run = pxhv("run", "--engine", "bochs", "--timeout", "90", "--flat", f"{GUESTS}/spin.bin@0x100000:64")
    run.expect(r"died: no progress: EXCEPTION_OR_NMI exits at rip 0x1\w+ change nothing", "code:", r"push 0x1\n")
    assert run.status == 3
