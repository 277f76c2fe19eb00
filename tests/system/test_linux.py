"""A stock Linux kernel, from power-on to a shell, and every way that it ends."""

import pytest
from conftest import BUILD, ends
from matrix import LINUX_MACHINES, ROOT

PROMPT = r"pxhv:~# "


@pytest.fixture
def linux(terminal):
    def boot(engine="bochs", cpu=""):
        child = terminal("run", "--engine", engine, "--cpu", cpu, "--kernel", f"{BUILD}/linux/vmlinuz", "--initrd",
                         f"{BUILD}/linux/initrd.img", "--append", "console=ttyS0 quiet cryptomgr.notests")
        child.expect("Welcome to Linux", timeout=120)
        child.expect(PROMPT)
        return child

    return boot


def answer(child, command, pattern):
    """Types a command and gives the match of its answer; the echo of the command comes first."""
    child.send(command + "\r")
    child.expect_exact(command)
    child.expect(pattern)
    m = child.match
    child.expect(PROMPT)
    return m


def test_make_run(terminal):
    """The README's one command."""
    child = terminal(command=["make", "-C", str(ROOT), f"BUILD={BUILD}", "run"])
    child.expect("Welcome to Linux", timeout=120)
    child.expect(PROMPT)
    child.send("poweroff\r")
    assert ends(child) == 0


@pytest.fixture(params=["bochs", "qemu"])
def engine(request):
    return request.param


def test_shell_and_poweroff(linux, engine):
    child = linux(engine)
    answer(child, "echo $((6 * 7))", r"\r\n42\r\n")
    answer(child, "uname -m", r"x86_64\r\n")
    assert answer(child, "grep -c ^processor /proc/cpuinfo", r"\r\n(\d+)\r\n")[1] == "1"
    memory = int(answer(child, "grep MemTotal /proc/meminfo", r"MemTotal: +(\d+) kB")[1])
    assert 180_000 < memory < 256 * 1024
    answer(child, "grep -o hypervisor /proc/cpuinfo", "hypervisor\r\n")
    answer(child, "cat /sys/devices/system/clocksource/clocksource0/current_clocksource", r"\r\n(kvm-clock|tsc)\r\n")
    answer(child, "for i in $(seq 300); do echo line $i; done", "line 300\r\n")
    child.send("sleep 1000\r")
    child.expect_exact("sleep 1000")
    child.send("\x03")  # Ctrl-C is the guest's
    child.expect(PROMPT)
    child.send("poweroff\r")
    assert ends(child) == 0


def test_reboot_comes_back(linux, engine):
    child = linux(engine)
    child.send("reboot\r")
    child.expect("Welcome to Linux", timeout=120)
    child.expect(PROMPT)
    answer(child, "cut -d. -f1 /proc/uptime", r"\r\n(\d+)\r\n")
    child.send("poweroff -f\r")
    assert ends(child) == 0


def test_panic_with_reboot_starts_again(linux, engine):
    child = linux(engine)
    child.send("echo 1 > /proc/sys/kernel/panic; echo c > /proc/sysrq-trigger\r")
    child.expect("Kernel panic - not syncing")
    child.expect("Welcome to Linux", timeout=120)
    child.expect(PROMPT)


def test_ctrl_a_x_powers_the_pc_off(linux):
    child = linux()
    child.send("\x01x")
    assert ends(child) == 0


def test_without_a_terminal(pxhv):
    run = pxhv("run", "--engine", "bochs", "--kernel", f"{BUILD}/linux/vmlinuz", "--append",
               "console=ttyS0 cryptomgr.notests panic=-1", "--timeout", "15")
    run.expect("Linux version", "Command line: console=ttyS0")
    assert run.status in (3, 124)  # without an initrd the kernel panics, and reboots


@pytest.mark.parametrize("engine, cpu", LINUX_MACHINES)
def test_linux_on_machine(linux, engine, cpu):
    child = linux(engine, cpu)
    answer(child, "echo $((6 * 7))", r"\r\n42\r\n")
    child.send("poweroff -f\r")
    assert ends(child) == 0
