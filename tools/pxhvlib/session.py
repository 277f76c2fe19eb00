"""One run: relays between terminal and serial port until the hypervisor reports the end."""

import math
import os
import re
import selectors
import sys
import time
from pathlib import Path

from . import status, trace
from .emulator import Emulator
from .relay import Relay
from .status import PxhvError
from .terminal import HINT, Terminal

# What the hypervisor writes to port 0xE9 as its last act; Bochs' own words may stand before it.
VERDICT = re.compile(rb"pxhv-(exit|monitor) (\d+)\r?\n")  # monitor: that will be it unless somebody types there
TRACE = re.compile(rb"pxhv-trace (0x[0-9a-f]+) (0x[0-9a-f]+)\n")  # where one lies, before guests start
VERDICT_MAX = 64
POWER_OFF = b"\x01x"  # what the hypervisor's console takes as its end
POWER_OFF_SECONDS = 10
DRAIN_SECONDS = 0.1  # of silence on the serial port, after the verdict
LATE_SECONDS = 1  # for what is on its way when time runs out: the guest may print for ever
READ_SIZE = 65536


class Session:
    """The event loop of one run."""

    def __init__(self, emulator: Emulator, terminal: Terminal, serial_log: Path | None, relay: Relay | None, traced: bool):
        self.emulator = emulator
        self.terminal = terminal
        self.serial_log = open(serial_log, "wb", buffering=0) if serial_log else None
        self.reports = b""
        self.traced = traced
        self.traces: list[tuple[int, int]] = []  # where in the PC's memory they lie, with their sizes
        self.unsent = b""
        self.ending = None  # the exit status once it is known
        self.selector = selectors.DefaultSelector()
        emulator.serial.setblocking(False)
        os.set_blocking(emulator.process.stdout.fileno(), False)
        self.selector.register(emulator.serial, selectors.EVENT_READ, self.on_serial)
        self.selector.register(emulator.process.stdout, selectors.EVENT_READ, self.on_report)
        if relay:
            relay.register(self.selector, emulator.debug)
        if terminal.has_input:
            try:
                self.selector.register(0, selectors.EVENT_READ, self.on_input)
            except PermissionError:  # a file: take all of it now
                while typed := terminal.read():
                    self.unsent += typed
                self.watch_serial()

    def watch_serial(self) -> None:
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self.unsent else 0)
        self.selector.modify(self.emulator.serial, events, self.on_serial)

    def on_input(self, events: int) -> None:
        typed = self.terminal.read()
        if not typed:
            self.selector.unregister(0)
        elif self.terminal.wants_out(typed):
            self.ending = status.INTERRUPTED
        elif self.emulator.serial in self.selector.get_map():
            self.unsent += typed
            self.watch_serial()

    def on_serial(self, events: int) -> None:
        try:
            if events & selectors.EVENT_WRITE and self.unsent:
                self.unsent = self.unsent[self.emulator.serial.send(self.unsent):]
                self.watch_serial()
            if events & selectors.EVENT_READ:
                data = self.emulator.serial.recv(READ_SIZE)
                if not data:
                    self.selector.unregister(self.emulator.serial)
                self.show(data)
        except BlockingIOError:
            pass
        except OSError:
            self.selector.unregister(self.emulator.serial)

    def show(self, data: bytes) -> None:
        if self.serial_log:
            try:
                self.serial_log.write(data)
            except OSError as e:
                raise PxhvError(f"cannot write {self.serial_log.name}: {e.strerror}") from e
        if not self.terminal.write(data):
            self.ending = status.INTERRUPTED

    def on_report(self, events: int) -> None:
        data = os.read(self.emulator.process.stdout.fileno(), READ_SIZE)
        if not data:
            self.drain()
            raise PxhvError(f"the emulator ended by itself, without a word from the hypervisor. "
                            f"Its log ends with:\n{self.emulator.log_tail()}")
        self.reports += data
        self.traces += ((int(m[1], 16), int(m[2], 16)) for m in TRACE.finditer(self.reports))
        for m in VERDICT.finditer(self.reports):
            if m[1] == b"exit" or not self.terminal.is_tty:
                self.drain()
                self.ending = int(m[2]) & 0xFF
        self.reports = self.reports[self.reports.rfind(b"\n") + 1:][-VERDICT_MAX:]

    def drain(self, seconds: float = math.inf) -> None:
        """Shows what the serial port still has: the verdict may overtake it."""
        serial = self.emulator.serial
        serial.settimeout(DRAIN_SECONDS)
        deadline = time.monotonic() + seconds
        try:
            while time.monotonic() < deadline and (data := serial.recv(READ_SIZE)):
                self.show(data)
        except OSError:  # silence or the end
            pass

    def run(self, timeout: float | None) -> int:
        """Relays until the end and returns the exit status."""
        try:
            if not self.relay(timeout):
                self.ending = status.TIMEOUT
        except KeyboardInterrupt:  # a signal, as when the terminal goes
            self.ending = status.INTERRUPTED
        if self.ending in (status.TIMEOUT, status.INTERRUPTED) and self.traced:
            self.power_off()
        elif self.ending == status.TIMEOUT:
            self.drain(LATE_SECONDS)
        return self.ending

    def relay(self, timeout: float | None) -> bool:
        """Relays until the end; False when time runs out before."""
        deadline = time.monotonic() + timeout if timeout else None
        while self.ending is None:
            left = deadline - time.monotonic() if deadline else None
            if left is not None and left <= 0:
                return False
            for key, events in self.selector.select(left):
                if self.ending is None and key.fd in self.selector.get_map():
                    key.data(events)
        return True

    def power_off(self) -> None:
        """Lets the hypervisor come to an end, and its trace to a complete one, without changing what became of the run."""
        ending, self.ending = self.ending, None
        self.unsent += POWER_OFF
        self.watch_serial()
        self.relay(POWER_OFF_SECONDS)
        self.ending = ending


def write_timeline(path: Path, memory: list[bytes]) -> None:
    for t in trace.write(path, memory):
        print(f"pxhv: {path}: vm {t.vm}, vcpu {t.vcpu}: {len(t.records)} records"
              + (f", the first {t.lost} lost: --trace-memory gives them room" if t.lost else ""), file=sys.stderr)


def run(emulator: Emulator, terminal: Terminal, timeout: float | None, serial_log: Path | None, hint: bool,
        screenshot: Path | None = None, timeline: Path | None = None, relay: Relay | None = None) -> int:
    """Runs the emulator's machine to its end; the emulator is gone and the terminal restored afterwards."""
    try:
        session = Session(emulator, terminal, serial_log, relay, bool(timeline))
        if terminal.is_tty and hint:
            print(f"pxhv: {HINT}", file=sys.stderr)
        if relay and hint:
            print(f"pxhv: gdb: target remote :{relay.port}", file=sys.stderr)
        with terminal:
            result = session.run(timeout)
            terminal.cut_off = result in (status.TIMEOUT, status.INTERRUPTED)
        if screenshot or timeline:
            memory = emulator.inspect(screenshot, session.traces if timeline else [])
            if timeline:
                try:
                    write_timeline(timeline, memory)
                except trace.NoTrace:
                    if result != status.REFUSED:  # which has its reason on the terminal
                        raise
    finally:
        emulator.stop()
        if relay:
            relay.close()
    if result == status.TIMEOUT and timeout:
        print(f"pxhv: stopped after {timeout:g} s (--timeout)", file=sys.stderr)
    return result
