"""TCP proxy in front of a server that tests share: stopping it is to its clients as if the server were away."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Thread


@dataclass
class TcpProxy:
    """Forwards connections to a server while it is open; closing cuts those that exist and refuses new ones."""

    host: str
    target: int
    port: int = 0
    _listener: socket.socket | None = None
    _connections: set[socket.socket] = field(default_factory=set)

    def open(self) -> None:
        """Listen, on the same port as before."""
        listener = socket.create_server(("127.0.0.1", self.port))
        self.port = listener.getsockname()[1]
        self._listener = listener
        Thread(target=self._accept, args=[listener], daemon=True).start()

    def close(self) -> None:
        """Cut every connection and refuse new ones."""
        if self._listener is not None:
            _end(self._listener)
            self._listener = None
        for connection in list(self._connections):
            _end(connection)

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.create_connection((self.host, self.target))
                self._connections |= {client, server}
                for source, sink in ((client, server), (server, client)):
                    Thread(target=self._forward, args=[source, sink], daemon=True).start()

    def _forward(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                sink.sendall(data)
        for connection in (source, sink):
            self._connections.discard(connection)
            _end(connection)


@contextmanager
def tcp_proxy(host: str, target: int) -> Iterator[TcpProxy]:
    """Yield an open proxy to a server; close it at the end."""
    proxy = TcpProxy(host, target)
    proxy.open()
    try:
        yield proxy
    finally:
        proxy.close()


def _end(connection: socket.socket) -> None:
    """Wake whoever waits on a socket, and close it."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
