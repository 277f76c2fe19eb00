"""GDB's way to the emulated PC's second serial port: a TCP port of this PC that takes one client after the other."""

import selectors
import socket

from .status import UsageError

READ_SIZE = 65536


class Relay:
    """Carries bytes both ways between whoever is connected and the serial port. What nobody reads is dropped."""

    def __init__(self, port: int):
        self.port = port
        try:
            self.listener = socket.create_server(("127.0.0.1", port))
        except OSError as e:
            raise UsageError(f"--gdb {port}: {e.strerror}") from e
        self.client: socket.socket | None = None
        self.serial: socket.socket | None = None

    def register(self, selector: selectors.BaseSelector, serial: socket.socket) -> None:
        """Joins a session's event loop, whose keys carry what to call."""
        self.selector, self.serial = selector, serial
        selector.register(self.listener, selectors.EVENT_READ, self.on_connect)
        selector.register(serial, selectors.EVENT_READ, self.on_serial)

    def on_connect(self, events: int) -> None:
        client, _ = self.listener.accept()
        if self.client:
            client.close()
            return
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.client = client
        self.selector.register(client, selectors.EVENT_READ, self.on_client)

    def hang_up(self) -> None:
        self.selector.unregister(self.client)
        self.client.close()
        self.client = None

    def on_client(self, events: int) -> None:
        try:
            data = self.client.recv(READ_SIZE)
            if data:
                self.serial.sendall(data)
        except OSError:
            data = b""
        if not data:
            self.hang_up()

    def on_serial(self, events: int) -> None:
        try:
            data = self.serial.recv(READ_SIZE)
            if self.serial.family == socket.AF_INET:  # Bochs sends byte by byte, each after the last one's ACK
                self.serial.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        except OSError:
            data = b""
        if not data:
            self.selector.unregister(self.serial)
            return
        if self.client:
            try:
                self.client.sendall(data)
            except OSError:
                self.hang_up()

    def close(self) -> None:
        self.listener.close()
        if self.client:
            self.client.close()
