"""The text screen of a guest, put together from what the serial terminal got."""

import codecs
import re
import time

import pexpect

ROWS, COLUMNS = 25, 80
TOKEN = re.compile(r"\x1b\[([0-9;]*)([A-Za-z])|[\s\S]")


class Screen:
    """A terminal of 25 rows behind a pexpect child, whose characters stand for bytes of UTF-8."""

    def __init__(self, child: pexpect.spawn):
        self.child = child
        self.rest = ""
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.clear()

    def clear(self) -> None:
        self.cells = [[" "] * COLUMNS for _ in range(ROWS)]
        self.row = self.column = 0

    def lines(self) -> list[str]:
        return ["".join(row).rstrip() for row in self.cells]

    def text(self) -> str:
        return "\n".join(self.lines()).rstrip()

    def sequence(self, args: list[int], end: str) -> None:
        if end == "H":
            self.row, self.column = (args + [1])[0] - 1, (args + [1, 1])[1] - 1
        elif end == "J":
            self.clear()
        elif end == "K":
            self.cells[self.row][self.column:] = [" "] * (COLUMNS - self.column)

    def feed(self, data: str) -> None:
        data = self.rest + self.decoder.decode(data.encode("latin-1"))
        end = data.rfind("\x1b")  # a sequence may not be whole yet
        cut = end if end >= 0 and re.fullmatch(r"\x1b(\[[0-9;]*)?", data[end:]) else len(data)
        self.rest = data[cut:]
        for m in TOKEN.finditer(data[:cut]):
            c = m[0]
            if m[2]:
                self.sequence([int(n) for n in m[1].split(";") if n], m[2])
            elif c == "\r":
                self.column = 0
            elif c == "\n" and self.row == ROWS - 1:
                self.cells = self.cells[1:] + [[" "] * COLUMNS]
            elif c == "\n":
                self.row += 1
            elif c >= " ":
                self.cells[self.row][min(self.column, COLUMNS - 1)] = c
                self.column += 1

    def wait(self, pattern: str, seconds: float = 90) -> re.Match:
        """Waits until the screen matches pattern, and has for half a second of silence."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                self.feed(self.child.read_nonblocking(4096, 0.5))
            except pexpect.TIMEOUT:
                if m := re.search(pattern, self.text(), re.MULTILINE):
                    return m
            except pexpect.EOF:
                break
        raise AssertionError(f"no {pattern!r} on the screen:\n{self.text()}")
