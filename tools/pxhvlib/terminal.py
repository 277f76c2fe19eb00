"""The user's terminal: raw while the guest has it, and always given back as it was."""

import contextlib
import errno
import os
import sys
import termios
import time
import tty

from .status import PxhvError

ESCAPE = b"\x1d"  # Ctrl-]
ESCAPE_TIMES = 3
ESCAPE_SECONDS = 1.0

# For a terminal that a guest had when it was cut off: plain colours, all rows scroll, the cursor shows; then to the bottom (a
# row that is too large a number is the last) and a fresh line, for the end of scrolling by parts moves the cursor to the top.
TIDY = b"\x1b[0m\x1b[r\x1b[?25h\x1b[999;1H\r\n"

HINT = "Ctrl-A x powers the PC off, Ctrl-A c is the monitor, Ctrl-A h helps, Ctrl-] three times ends the emulator"


class Terminal:
    """Standard input and output. As a context manager it holds the terminal in raw mode if there is one."""

    def __init__(self, forward_stdin: bool):
        self.is_tty = sys.stdin is not None and sys.stdin.isatty()
        self.has_input = self.is_tty or (forward_stdin and sys.stdin is not None)
        self.saved = None
        self.cut_off = True  # unless the run ends by itself: then the hypervisor leaves the terminal tidy
        self.escapes: list[float] = []

    def __enter__(self):
        if self.is_tty:
            self.saved = termios.tcgetattr(0)
            tty.setraw(0, termios.TCSADRAIN)
        return self

    def __exit__(self, *_):
        if self.cut_off and sys.stdout is not None and sys.stdout.isatty():
            self.write(TIDY)
        if self.saved:
            with contextlib.suppress(termios.error):  # the terminal is gone
                termios.tcsetattr(0, termios.TCSADRAIN, self.saved)

    def read(self) -> bytes:
        """What was typed; b"" at the end of input."""
        try:
            return os.read(0, 4096)
        except OSError:  # the terminal is gone
            return b""

    def wants_out(self, typed: bytes) -> bool:
        """Whether the escape was typed often enough within a second. It works with the hypervisor dead."""
        if not self.is_tty:
            return False
        now = time.monotonic()
        for byte in typed:
            if byte == ESCAPE[0]:
                self.escapes = [t for t in self.escapes if now - t < ESCAPE_SECONDS] + [now]
            else:
                self.escapes = []
        return len(self.escapes) >= ESCAPE_TIMES

    def write(self, data: bytes) -> bool:
        """Writes all of it; False when nobody reads any more."""
        try:
            while data:
                try:
                    data = data[os.write(1, data):]
                except BlockingIOError:
                    time.sleep(0.01)
        except OSError as e:
            if e.errno in (errno.EPIPE, errno.EIO):
                return False
            raise PxhvError(f"cannot write the output: {e.strerror}") from e
        return True
