"""The way between the user's terminal and the guest's serial port, on both engines, without the hypervisor."""

import os
import pty
import shlex
import shutil
import signal
import socket
import subprocess
import time

import pexpect
import pytest
from conftest import PATIENCE, ends, pxhv_command

ENGINES = ["bochs", "qemu"]
pytestmark = pytest.mark.parametrize("engine", ENGINES)


@pytest.fixture
def options(engine, flat):
    return ["run", "--engine", engine, *flat]


def test_keys_reach_the_guest(terminal, echo_build, options):
    child = terminal(*options, build=echo_build)
    child.expect("Ctrl-A x powers the PC off")
    child.expect("hello from the boot sector\r\n")
    child.send("abc\x03\x1a\x01\x1d\x1d.")  # control characters, and the escape twice only
    child.expect_exact("abc\x03\x1a\x01\x1d\x1d.")
    child.send("x")
    child.expect("bye bye\r\n")
    assert ends(child) == 7
    assert child.before == ""


def test_nothing_is_lost_at_the_end(pxhv, echo_build, options, tmp_path):
    log = tmp_path / "serial.log"
    run = pxhv(*options, "--stdin", "--serial-log", log, stdin=b"f", build=echo_build)
    assert run.status == 7
    assert run.output == "hello from the boot sector\n" + "#" * 20000 + "\nbye bye\n"
    assert log.read_bytes().decode().replace("\r", "") == run.output


def test_a_log_that_cannot_be_written_is_told(pxhv, echo_build, options):
    run = pxhv(*options, "--timeout", "20", "--serial-log", "/dev/full", build=echo_build)
    assert run.status == 5
    assert "cannot write /dev/full: No space left" in run.errors


def test_gdb_is_told_how_to_connect(pxhv, echo_build, options):
    with socket.create_server(("127.0.0.1", 0)) as s:
        port = s.getsockname()[1]
    run = pxhv(*options, "--stdin", "--gdb", port, stdin=b"x", build=echo_build)
    assert run.status == 7 and f"pxhv: gdb: target remote :{port}\n" in run.errors, run.errors


def test_standard_input_is_left_alone_unless_asked(pxhv, echo_build, options):
    run = pxhv(*options, "--timeout", "4", stdin=b"x", build=echo_build)
    assert run.status == 124
    run.expect("hello from the boot sector")
    assert "4 s" in run.errors


def test_time_runs_out_for_a_guest_that_prints_on(pxhv, echo_build, options, tmp_path):
    # mov dx, 3FBh; mov al, 3; out dx, al (8N1); mov dl, F8h; mov al, "x"; out dx, al; jmp $-1
    printer = bytes.fromhex("bafb03 b003 ee b2f8 b078 ee ebfd")
    (tmp_path / "mbr.bin").write_bytes(printer.ljust(510, b"\0") + b"\x55\xaa")
    shutil.copy(echo_build / "pxhv.bin", tmp_path)
    run = pxhv(*options, "--timeout", "4", build=tmp_path, seconds=30)
    assert run.status == 124
    run.expect("x{100}")


def test_ctrl_bracket_leaves_a_dead_guest(terminal, echo_build, options):
    child = terminal(*options, build=echo_build)
    child.expect("boot sector")
    child.send("h")
    time.sleep(0.5)
    child.send("\x1d\x1d\x1d")
    assert ends(child) == 130


# Plain colours, no scroll region, a cursor, and a fresh line at the bottom.
TIDY = "\x1b[0m\x1b[r\x1b[?25h\x1b[999;1H\r\n"


@pytest.mark.parametrize("how", ["escape", "timeout", "signal"])
def test_a_terminal_that_is_cut_off_is_tidied(terminal, echo_build, options, how):
    child = terminal(*options, *(["--timeout", "6"] if how == "timeout" else []), build=echo_build)
    child.expect("boot sector")
    child.send("\x1b[1;25r\x1b[?25l\x1b[44mblue")
    child.expect_exact("blue")
    if how == "escape":
        child.send("\x1d\x1d\x1d")
    elif how == "signal":
        child.kill(signal.SIGTERM)
    assert ends(child) == (124 if how == "timeout" else 130)
    assert child.before.startswith(TIDY) and child.before.count("\x1b") == TIDY.count("\x1b")


def test_a_cut_off_that_no_terminal_sees(echo_build, options):
    tool = subprocess.run(pxhv_command(*options, "--timeout", "6"), stdin=subprocess.DEVNULL, capture_output=True,
                          env=os.environ | {"PXHV_BUILD": str(echo_build)})
    assert tool.returncode == 124
    assert tool.stdout == b"hello from the boot sector\r\n"


@pytest.mark.parametrize("log", ["/dev/null", "/dev/stdout"])
def test_a_log_that_is_a_device(pxhv, echo_build, options, log):
    run = pxhv(*options, "--stdin", "--serial-log", log, stdin=b"x", build=echo_build)
    assert run.status == 7, run.errors
    assert run.output.count("y") == (2 if log == "/dev/null" else 4)  # of "bye bye", which may mix with itself


def test_terminal_is_given_back(echo_build, options, tmp_path):
    shell = pexpect.spawn("/bin/sh", env=os.environ | {"PXHV_BUILD": str(echo_build), "PS1": "ready> "},
                          timeout=PATIENCE, encoding="latin-1")
    command = shlex.join(pxhv_command(*options))
    shell.sendline(f"stty -a > {tmp_path}/before; {command}; echo status=$?; stty -a > {tmp_path}/after; exit")
    shell.expect("boot sector")
    shell.send("\x1d\x1d\x1d")
    shell.expect("status=130")
    shell.expect(pexpect.EOF)
    assert (tmp_path / "before").read_text() == (tmp_path / "after").read_text()


def test_a_terminal_that_goes(echo_build, options, tmp_path):
    """The run ends with all that was asked of it."""
    ours, theirs = os.openpty()
    shot = tmp_path / "screen.png"
    tool = subprocess.Popen(pxhv_command(*options, "--screenshot", shot), stdin=theirs, stdout=theirs, stderr=subprocess.PIPE,
                            env=os.environ | {"PXHV_BUILD": str(echo_build)}, start_new_session=True)
    os.close(theirs)
    assert os.read(ours, 1) == b"h"
    os.write(ours, b"f")
    while os.read(ours, 1) != b"#":  # of which there are more than a terminal takes that nobody reads
        pass
    os.close(ours)
    assert b"Traceback" not in tool.communicate(timeout=60)[1]
    assert tool.returncode == 130 and shot.read_bytes().startswith(b"\x89PNG")


def test_a_session_that_goes(echo_build, options, tmp_path):
    """As when a window is closed: SIGHUP comes, too."""
    shot = tmp_path / "screen.png"
    pid, ours = pty.fork()
    if not pid:
        command = pxhv_command(*options, "--screenshot", shot)
        os.execvpe(command[0], command, os.environ | {"PXHV_BUILD": str(echo_build)})
    said = b""
    while b"boot sector" not in said:
        said += os.read(ours, 1)
    os.close(ours)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 130 and shot.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("number, status", [
    (signal.SIGTERM, 130), (signal.SIGINT, 130), (signal.SIGHUP, 130), (signal.SIGKILL, -signal.SIGKILL),
])
def test_no_emulator_outlives_the_tool(echo_build, options, number, status):
    # The default signals: what runs in a shell's background, or under nohup, would ignore some.
    tool = subprocess.Popen(["env", "--default-signal", *pxhv_command(*options)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            env=os.environ | {"PXHV_BUILD": str(echo_build)})
    with tool.stdout:
        assert tool.stdout.readline()
        children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(tool.pid)], capture_output=True, text=True)
        emulator = int(children.stdout)
        tool.send_signal(number)
        assert tool.wait(10) == status
    for _ in range(50):
        state = subprocess.run(["ps", "-o", "stat=", "-p", str(emulator)], capture_output=True, text=True).stdout
        if not state or state.startswith("Z"):
            return
        time.sleep(0.1)
    pytest.fail(f"process {emulator} still runs: {state}")


def test_emulator_that_ends_by_itself(pxhv, echo_build, options, engine):
    if engine != "bochs":
        pytest.skip("only Bochs has port 8900h")
    run = pxhv(*options, "--stdin", "--timeout", "20", stdin=b"p", build=echo_build)
    assert run.status == 5
    assert "ended by itself" in run.errors and "shutdown requested" in run.errors
