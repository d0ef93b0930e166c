"""A TCP gate in front of a database: open it forwards, shut it disconnects and refuses, silent it drops all bytes."""

import contextlib
import socket
import threading

from sqlalchemy import make_url


class Gate:
    """Forwards a loopback port to an address of a TCP or Unix socket."""

    def __init__(self, address: tuple[str, int] | str) -> None:
        self._address = address
        self._open = True
        self._silent = False
        self._pairs: list[socket.socket] = []
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def shut(self) -> None:
        """Close every connection and refuse new ones."""
        with self._lock:
            self._open = False
            pairs, self._pairs = self._pairs, []
        for end in pairs:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def silence(self) -> None:
        """Drop every byte from now on without closing connections, like a host that disappeared."""
        self._silent = True

    def open(self) -> None:
        """Forward again."""
        self._open, self._silent = True, False

    def close(self) -> None:
        self.shut()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if not self._open:
                client.close()
                continue
            family = socket.AF_UNIX if isinstance(self._address, str) else socket.AF_INET
            server = socket.socket(family)
            server.connect(self._address)
            with self._lock:
                self._pairs += [client, server]
            for source, target in ((client, server), (server, client)):
                threading.Thread(target=self._pass_on, args=(source, target), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if not self._silent:
                    target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def gated_url(database_url: str) -> tuple[Gate, str]:
    """Start a gate in front of a database; returns it and the URL through it."""
    url = make_url(database_url)
    folder = url.query.get("host")
    gate = Gate(f"{folder}/.s.PGSQL.5432" if folder else (url.host or "127.0.0.1", url.port or 5432))
    through = url.set(host="127.0.0.1", port=gate.port).difference_update_query(["host"])
    if through.get_backend_name() == "postgresql":
        # Without a password, the Unix socket trusts the name of its owner, also through the gate.
        through = through.update_query_dict({"sslmode": "disable", "gssencmode": "disable"})
    return gate, through.render_as_string(hide_password=False)
