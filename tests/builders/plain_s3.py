"""A small S3 server that stores request bodies as they come, as servers without aws-chunked encoding do."""

import hashlib
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Answer = tuple[int] | tuple[int, bytes] | tuple[int, bytes, str]
"""Status, body and entity tag."""


class PlainS3:
    """Objects by path, and how the server deviates from AWS.

    ``change`` is applied to each body before it is stored; ``replace_after_put`` replaces each object before
    the response is sent; ``md5_tags``: whether entity tags are MD5 digests; ``honoured``: the conditional headers that
    it honours. It does what the next ``lost_answers`` writes of ``lost_key`` say, but hangs up instead of answering.
    ``refusal``: status and body of the answer to every request; ``date``: the time by its clock, if not the right one.
    """

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.change: Callable[[bytes], bytes] = bytes
        self.replace_after_put: bytes | None = None
        self.md5_tags = True
        self.honoured = {"If-Match", "If-None-Match"}
        self.lost_key, self.lost_answers = "", 0
        self.refusal: tuple[int, bytes] | None = None
        self.date: str | None = None
        self.url = ""

    def etag(self, body: bytes) -> str:
        """Entity tag of a body, quoted."""
        digest = hashlib.md5(body) if self.md5_tags else hashlib.sha256(body)  # noqa: S324 - what S3 computes
        return f'"{digest.hexdigest()}"'

    def write(self, path: str, sent: bytes, headers: Message) -> Answer | None:
        """Store a body; without an answer, the connection is to be closed."""
        if self.refusal:
            return self.refusal
        if not self._conditions_hold(path, headers):
            return 412, b"<Error><Code>PreconditionFailed</Code></Error>"
        body = self.objects[path] = self.change(sent)
        if self.replace_after_put is not None:
            self.objects[path] = self.replace_after_put
        if self.lost_answers and path.endswith(self.lost_key):
            self.lost_answers -= 1
            return None
        return 200, b"", self.etag(body)

    def read(self, path: str) -> Answer:
        """Answer with an object; ``/bucket`` is the bucket itself."""
        if self.refusal:
            return self.refusal
        if path == "/bucket":
            return (200,)
        if path.startswith("/bucket?"):
            return 200, self._listing()
        body = self.objects.get(path)
        return (404, b"<Error><Code>NoSuchKey</Code></Error>") if body is None else (200, body, self.etag(body))

    def _listing(self) -> bytes:
        """All keys, whatever the request asks for."""
        keys = (path.removeprefix("/bucket/") for path in sorted(self.objects))
        rows = "".join(f"<Contents><Key>{key}</Key><Size>1</Size></Contents>" for key in keys)
        return f"<ListBucketResult>{rows}</ListBucketResult>".encode()

    def _conditions_hold(self, path: str, headers: Message) -> bool:
        there = self.objects.get(path)
        given = {name: headers[name] for name in self.honoured if name in headers}
        if "If-Match" in given:
            return there is not None and given["If-Match"] == self.etag(there)
        return there is None or "If-None-Match" not in given


@contextmanager
def running_plain_s3(folder: Path) -> Iterator[PlainS3]:
    """Serve over https on loopback; ``folder`` gets ``ca.pem``, the certificate to trust."""
    certificate, key = _certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    s3 = PlainS3()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(s3))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    s3.url = f"https://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield s3
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(s3: PlainS3) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the library
            pass

        def date_time_string(self, timestamp: float | None = None) -> str:
            return s3.date or super().date_time_string(timestamp)

        def do_PUT(self) -> None:
            chunked = "Transfer-Encoding" in self.headers
            sent = b"".join(_chunks(self.rfile)) if chunked else self.rfile.read(int(self.headers["Content-Length"]))
            answer = s3.write(self.path, sent, self.headers)
            if answer:
                self._answer(*answer)
            else:
                self.close_connection = True

        def do_GET(self) -> None:
            self._answer(*s3.read(self.path))

        def do_DELETE(self) -> None:
            s3.objects.pop(self.path, None)
            self._answer(204)

        do_HEAD = do_GET  # noqa: N815 - the name of the library

        def _answer(self, status: int, body: bytes = b"", etag: str = "") -> None:
            self.send_response(status)
            self.send_header("ETag", etag)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

    return Handler


def _chunks(body: BufferedIOBase) -> Iterator[bytes]:
    while size := int(body.readline(), 16):
        yield body.read(size)
        body.readline()
    body.readline()


def _certificate(folder: Path) -> tuple[Path, Path]:
    """Write a self-signed certificate of 127.0.0.1 and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(certificate.public_bytes(pem))
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(secret)
    return folder / "ca.pem", folder / "key.pem"
