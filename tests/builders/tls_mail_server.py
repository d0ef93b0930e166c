"""An SMTP server on loopback that offers STARTTLS, then a login, with a certificate of its own."""

import base64
import io
import ipaddress
import socketserver
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass
class TlsMailServer:
    """Its certificate, and what it has received."""

    certificate: Path
    tls: ssl.SSLContext
    port: int = 0
    logins: list[str] = field(default_factory=list)
    mails: list[str] = field(default_factory=list)


class _Handler(socketserver.StreamRequestHandler):
    """One connection."""

    def __init__(self, mail_server: TlsMailServer, *socket: Any) -> None:
        self.mail_server = mail_server
        self.encrypted = False
        super().__init__(*socket)

    def handle(self) -> None:
        self._say("220 ready")
        commands = {"EHLO": self._greet, "STARTTLS": self._encrypt, "AUTH": self._log_in, "DATA": self._take}
        while line := self.rfile.readline().decode().strip():
            command = line.partition(" ")[0].upper()
            if command == "QUIT":
                self._say("221 bye")
                return
            if command in commands:
                commands[command](line)
            else:
                self._say("250 ok")

    def _greet(self, _: str) -> None:
        self._say("250-server", "250 AUTH PLAIN" if self.encrypted else "250 STARTTLS")

    def _encrypt(self, _: str) -> None:
        self._say("220 go on")
        try:
            self.request = self.mail_server.tls.wrap_socket(self.request, server_side=True)
        except OSError:  # the client does not trust the certificate, and is gone
            self.rfile = io.BytesIO()
            return
        self.encrypted = True
        self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb", buffering=0)

    def _log_in(self, line: str) -> None:
        credentials = base64.b64decode(line.rpartition(" ")[2]).decode()
        self.mail_server.logins.append(credentials.replace("\0", " ").strip())
        self._say("235 welcome")

    def _take(self, _: str) -> None:
        self._say("354 go on")
        lines = iter(lambda: self.rfile.readline().decode().rstrip("\r\n"), ".")
        self.mail_server.mails.append("\n".join(lines))
        self._say("250 ok")

    def _say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())

    def finish(self) -> None:
        super().finish()
        self.request.close()


@contextmanager
def tls_mail_server(folder: Path) -> Iterator[TlsMailServer]:
    """Serve from a thread; files of the certificate go to ``folder``."""
    certificate, key = _certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    mail_server = TlsMailServer(certificate, context)
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), partial(_Handler, mail_server))
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        mail_server.port = int(server.server_address[1])
        yield mail_server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _certificate(folder: Path) -> tuple[Path, Path]:
    """Write a certificate for 127.0.0.1 that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - timedelta(days=1))
    builder = builder.not_valid_after(now + timedelta(days=1))
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    signed = builder.add_extension(address, critical=False).sign(key, hashes.SHA256())
    certificate, secret = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    form = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, *form))
    return certificate, secret
