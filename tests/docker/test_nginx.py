"""The shipped configuration of nginx, on a real one, before real uvicorns."""

import ipaddress
import json
import os
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib import import_module
from pathlib import Path

import httpx
import pytest
import yaml
from fastapi.routing import APIRoute
from sqlalchemy import Engine

from tests.builders.api_process import Server, served
from tests.builders.servers import free_port
from tests.builders.small_catalog import fill
from tests.builders.waiting import until
from tests.conftest import ROOT, embedded_only
from tests.docker.proxy import Proxy, port_of, proxied

GATEWAY = "gateway:8000"
ADDRESSES = {
    "user": "user:8001",
    "kok": "kok:8002",
    "home_shopping": "home-shopping:8003",
    "recipe": "recipe:8004",
    "recommend": "recommend:8005",
    "log": "log:8006",
}
ALWAYS = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
}
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())


@contextmanager
def echo(name: str, folder: Path) -> Iterator[Server]:
    with served("tests.docker.echo", os.environ | {"NAME": name}, folder / f"{name}.log") as server:
        yield server


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("nginx")


@pytest.fixture(scope="module")
def one(folder: Path) -> Iterator[Proxy]:
    """Nginx before one gateway that tells what reached it."""
    with echo("gateway", folder) as server, proxied("gateway", {GATEWAY: [port_of(server.url)]}) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def six(folder: Path) -> Iterator[Proxy]:
    """Nginx before the six services."""
    with ExitStack() as running:
        ports = {
            address: [port_of(running.enter_context(echo(name, folder)).url)] for name, address in ADDRESSES.items()
        }
        yield running.enter_context(proxied("services", ports))


def detail(answer: httpx.Response) -> str:
    """What an answer that nginx made says; its headers are those of any other, each once."""
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"]
    assert {name: answer.headers.get_list(name) for name in ALWAYS} == {name: [text] for name, text in ALWAYS.items()}
    again = ["2"] if answer.status_code in {429, 503, 504} else []
    assert answer.headers.get_list("retry-after") == again
    return str(answer.json()["detail"])


def routes(service: str) -> set[str]:
    """Paths of a service's own routes, with 7 for every parameter."""
    router = import_module(f"serving.{service}.router").router
    paths = {route.path for route in router.routes if isinstance(route, APIRoute)}
    return {"/".join("7" if part.startswith("{") else part for part in path.split("/")) for path in paths}


@pytest.mark.parametrize("service", ADDRESSES)
def test_every_route_of_a_service_reaches_it(six: Proxy, service: str) -> None:
    with httpx.Client(base_url=six.url) as client:
        answered = {path: client.get(path).json()["name"] for path in routes(service)}
    assert answered
    assert set(answered.values()) == {service}, answered


def test_the_model_state_comes_from_the_service_that_has_it(six: Proxy) -> None:
    assert httpx.get(f"{six.url}/api/health/ml").json()["name"] == "recommend"


def test_with_services_what_none_of_them_owns_is_not_found(six: Proxy) -> None:
    for path in ("/api/", "/api/kokoko/discounted", "/api/carts", "/docs", "/openapi.json"):
        answer = httpx.get(f"{six.url}{path}")
        assert (answer.status_code, "Not found" in detail(answer)) == (404, True), path


def test_health_is_anybodys(six: Proxy, one: Proxy) -> None:
    for proxy in (six, one):
        for path in ("/api/health", "/healthz"):
            assert httpx.get(f"{proxy.url}{path}").status_code == 200


def test_a_path_reaches_the_gateway_as_it_was_sent(one: Proxy) -> None:
    for path in (
        "/api/recipes/%EA%B0%90%EC%9E%90%2F%EC%96%91%ED%8C%8C/product-recommend",
        "/docs",
        "/docs/assets/swagger-ui.css",
        "/openapi.json",
    ):
        assert httpx.get(f"{one.url}{path}").json()["path"] == path


@pytest.mark.parametrize(
    "path", ["/metrics", "/readyz", "//metrics", "/api/../metrics", "/api/%2e%2e/metrics", "/api/..%2freadyz", "/api"]
)
def test_figures_and_readiness_stay_inside(one: Proxy, six: Proxy, path: str) -> None:
    for proxy in (one, six):
        answer = raw(proxy, path)
        assert answer.startswith(b"HTTP/1.1 404"), answer
        assert b'{"detail": "Not found' in answer, answer


def raw(proxy: Proxy, path: str) -> bytes:
    """The answer to a path that a client library would tidy up."""
    with socket.create_connection(("127.0.0.1", port_of(proxy.url))) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_nobody_chooses_the_address_that_he_is_known_by(one: Proxy) -> None:
    spoofed = {"X-Forwarded-For": "6.6.6.6, 7.7.7.7", "X-Real-IP": "6.6.6.6", "X-Forwarded-Proto": "https"}
    with httpx.Client(transport=httpx.HTTPTransport(local_address="127.0.0.2")) as client:
        seen = client.get(f"{one.url}/api/kok/discounted", headers=spoofed).json()
    assert seen["client"] == "127.0.0.2"
    sent = {name: seen["headers"][name.lower()] for name in spoofed}
    assert sent == {"X-Forwarded-For": "127.0.0.2", "X-Real-IP": "127.0.0.2", "X-Forwarded-Proto": "http"}


def test_a_request_keeps_its_id_and_without_one_gets_one(one: Proxy) -> None:
    ids = []
    for given in (None, "mine-1", 'a "quoted" id', "x" * 65):
        answer = httpx.get(f"{one.url}/api/x?secret=1", headers={"X-Request-ID": given} if given else {})
        (known,) = answer.headers.get_list("x-request-id")
        assert (known == given) == (given == "mine-1")
        assert answer.json()["headers"]["x-request-id"] == known
        ids.append(known)
    until(lambda: all(f'"request_id": "{known}"' in one.log.read_text() for known in ids), "the ids are logged")
    lines = [json.loads(line) for line in one.log.read_text().splitlines() if any(known in line for known in ids)]
    assert {(line["method"], line["status"], line["client"]) for line in lines} == {("GET", 200, "127.0.0.1")}
    assert "secret" not in one.log.read_text()


PRIVATE = "gonjajeon"


def test_no_log_of_nginx_holds_what_a_visitor_typed(folder: Path) -> None:
    with echo("quiet", folder) as server, proxied("gateway", {GATEWAY: [port_of(server.url), free_port()]}) as proxy:
        address = f"{PRIVATE}@example.com"
        agent = {"User-Agent": f"bot ({address})", "Referer": f"http://x/?q={PRIVATE}"}
        for path in (f"/api/recipes/{PRIVATE}/product-recommend", "/api/user/signup/email/check", f"/{PRIVATE}"):
            httpx.get(f"{proxy.url}{path}", params={"email": address}, headers=agent)
        httpx.post(f"{proxy.url}/api/kok?q={PRIVATE}", content=b"x" * (2 * 2**20 + 1))
        raw(proxy, f"/api/kok?q={PRIVATE}{'a' * 40_000}")
        httpx.request(PRIVATE.upper(), f"{proxy.url}/api/kok", headers={"X-Request-ID": "the-last"})
        until(lambda: "the-last" in proxy.log.read_text(), "all are logged")
        logged = proxy.log.read_text()
    lines = [json.loads(line) for line in logged.splitlines() if line.startswith("{")]
    assert PRIVATE not in logged.lower()
    assert {line["path"] for line in lines} >= {"/api/recipes", "/api/user", "/api/kok", "other"}
    assert {line["status"] for line in lines} >= {200, 400, 404, 413}


def test_a_failed_upstream_is_logged_without_the_query() -> None:
    with proxied("gateway", {GATEWAY: [free_port()]}) as proxy:
        httpx.get(f"{proxy.url}/api/kok/search?keyword={PRIVATE}")
        until(lambda: '"status": 503' in proxy.log.read_text(), "the failure is logged")
        assert PRIVATE not in proxy.log.read_text()


def test_requests_of_an_address_are_limited_and_others_answered(folder: Path) -> None:
    with (
        echo("limited", folder) as server,
        proxied("gateway", {GATEWAY: [port_of(server.url)]}, rate="1r/m", burst="30") as proxy,
        httpx.Client(base_url=proxy.url) as client,
        httpx.Client(base_url=proxy.url, transport=httpx.HTTPTransport(local_address="127.0.0.2")) as other,
    ):
        answers = [client.get("/api/kok/discounted") for _ in range(35)]
        assert [answer.status_code for answer in answers[:30]] == [200] * 30, "a page calls thirty at once"
        refused = answers[-1]
        assert refused.status_code == 429
        assert "Too many requests" in detail(refused)
        assert other.get("/api/kok/discounted").status_code == 200
        until(lambda: '"limit": "REJECTED"' in proxy.log.read_text(), "the limit is logged")


def test_a_page_with_thirty_calls_is_never_limited(one: Proxy) -> None:
    with httpx.Client(base_url=one.url) as client:
        assert {client.get("/api/kok/discounted").status_code for _ in range(60)} == {200}


def test_connections_of_an_address_are_limited(folder: Path) -> None:
    with (
        echo("connected", folder) as server,
        proxied("gateway", {GATEWAY: [port_of(server.url)]}, connections="5") as proxy,
        ExitStack() as held,
    ):
        for _ in range(5):
            connection = held.enter_context(socket.create_connection(("127.0.0.1", port_of(proxy.url))))
            connection.sendall(b"POST /api/kok HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")
        answer = until(lambda: refused_by(proxy), "the connections are counted")
        assert "connections" in detail(answer)
        with httpx.Client(transport=httpx.HTTPTransport(local_address="127.0.0.2")) as other:
            assert other.get(f"{proxy.url}/api/kok").status_code == 200


def refused_by(proxy: Proxy) -> httpx.Response | None:
    answer = httpx.get(f"{proxy.url}/api/kok")
    return answer if answer.status_code == 429 else None


def test_slow_headers_and_bodies_are_not_waited_for(folder: Path) -> None:
    slow = {"client_header_timeout": "1s", "client_body_timeout": "1s"}
    head = b"POST /api/kok HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n"
    with echo("slow", folder) as server, proxied("gateway", {GATEWAY: [port_of(server.url)]}, **slow) as proxy:
        for sent in (b"", b"GET / HT", head, head + b"\r\n12345"):
            with socket.create_connection(("127.0.0.1", port_of(proxy.url)), timeout=60) as connection:
                connection.sendall(sent)
                assert httpx.get(f"{proxy.url}/api/kok").status_code == 200
                with suppress(ConnectionResetError):
                    assert connection.recv(65536)[:12] in {b"", b"HTTP/1.1 408"}


def test_headers_that_are_too_long_are_refused(one: Proxy) -> None:
    for headers in ({"X-A": "a" * 9_000}, {f"X-{n}": "a" * 1_000 for n in range(50)}):
        answer = httpx.get(f"{one.url}/api/kok", headers=headers)
        assert (answer.status_code, "too long" in detail(answer)) == (400, True)


@pytest.mark.parametrize(
    ("address", "subscriber"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2"),
        ("2001:db8:1:2::6", "2001:db8:1:2"),
        ("2001:db8::6", "2001:db8"),
        ("::1", "::1"),
    ],
)
def test_an_ipv6_subscriber_is_limited_as_one(address: str, subscriber: str) -> None:
    shipped = (ROOT / "docker" / "nginx.conf").read_text()
    (block,) = re.findall(r"map \$remote_addr \$subscriber {(.*?)\n    }", shipped, re.DOTALL)
    found = (re.match(pattern, address) for pattern in re.findall(r'"~(.*)" \$1;', block))
    assert next((match[1] for match in found if match), address) == subscriber


def test_a_body_of_two_megabytes_passes_and_a_larger_one_does_not(one: Proxy) -> None:
    size = 2 * 2**20
    assert httpx.post(f"{one.url}/api/log/user/activity", content=b"x" * size).status_code == 200
    refused = httpx.post(f"{one.url}/api/log/user/activity", content=b"x" * (size + 1))
    assert (refused.status_code, detail(refused)) == (413, "The body is larger than 2 MB")


def test_a_dead_gateway_is_reported_in_the_shape_of_the_api(folder: Path) -> None:
    with proxied("gateway", {GATEWAY: [free_port()]}) as proxy:
        for method in ("GET", "POST"):
            answer = httpx.request(method, f"{proxy.url}/api/kok/discounted", headers={"X-Request-ID": "mine-2"})
            assert (answer.status_code, answer.headers["x-request-id"]) == (503, "mine-2")
            assert "unavailable" in detail(answer)


def test_a_gateway_that_is_too_slow_is_reported_as_well() -> None:
    with socket.socket() as full, ExitStack() as waiting:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        # Nobody accepts, so after these the kernel takes no connection more.
        for _ in range(4):
            connection = waiting.enter_context(socket.socket())
            connection.setblocking(False)
            with suppress(BlockingIOError):
                connection.connect(full.getsockname())
        with proxied("gateway", {GATEWAY: [full.getsockname()[1]]}) as proxy:
            answer = httpx.get(f"{proxy.url}/api/kok/discounted", timeout=60)
    assert (answer.status_code, "in time" in detail(answer)) == (504, True)


def test_with_one_of_two_gateways_killed_every_read_is_answered(folder: Path) -> None:
    with (
        echo("first", folder) as first,
        echo("second", folder) as second,
        proxied("gateway", {GATEWAY: [port_of(first.url), port_of(second.url)]}) as proxy,
    ):
        answers = []
        with httpx.Client(base_url=proxy.url) as client:
            for number in range(200):
                if number == 50:
                    first.kill()
                answers.append(client.request(("GET", "PUT", "DELETE")[number % 3], "/api/kok/discounted"))
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.json()["name"] for answer in answers[:50]} == {"first", "second"}
    assert {answer.json()["name"] for answer in answers[50:]} == {"second"}


@pytest.mark.parametrize(("method", "times"), [("GET", 2), ("POST", 1)])
def test_only_what_may_be_sent_twice_is(method: str, times: int) -> None:
    with dying() as first, dying() as second, proxied("gateway", {GATEWAY: [first.port, second.port]}) as proxy:
        answer = httpx.request(method, f"{proxy.url}/api/log/user/activity")
        assert answer.status_code == 503
        assert first.requests + second.requests == times


class Dying:
    """Takes each request and closes the connection instead of an answer."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.requests = 0


@contextmanager
def dying() -> Iterator[Dying]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Dying(listener.getsockname()[1])

        def serve() -> None:
            while True:
                connection, _ = listener.accept()
                with connection:
                    if not connection.recv(65536):
                        return
                    server.requests += 1

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server
        finally:
            socket.create_connection(("127.0.0.1", server.port)).close()
            thread.join()


@embedded_only
def test_the_real_gateway_is_compressed_and_kept_by_its_etag(
    stack_env: dict[str, str], service: Engine, tmp_path: Path
) -> None:
    fill(service)
    with (
        served("tests.docker.noon", stack_env, tmp_path / "server.log") as server,
        proxied("gateway", {GATEWAY: [port_of(server.url)]}) as proxy,
    ):
        path = "/api/homeshopping/schedule"
        direct = httpx.get(f"{server.url}{path}")
        plain = httpx.get(f"{proxy.url}{path}", headers={"Accept-Encoding": "identity"})
        packed = httpx.get(f"{proxy.url}{path}", headers={"Accept-Encoding": "gzip"})
        assert plain.headers["etag"] == direct.headers["etag"]
        assert len(plain.headers.get_list("x-request-id")) == 1, "the gateway's and nginx's are one"
        assert "content-encoding" not in plain.headers
        assert packed.headers["content-encoding"] == "gzip"
        assert plain.content == packed.content == direct.content
        errors = [httpx.get(f"{each.url}/api/kok/product/999/info") for each in (server, proxy)]
        for name in ("cache-control", "x-content-type-options", "retry-after"):
            assert errors[0].headers.get_list(name) == errors[1].headers.get_list(name), name
            assert direct.headers.get_list(name) == plain.headers.get_list(name), name
        for kept in (plain, packed):
            again = httpx.get(f"{proxy.url}{path}", headers={"If-None-Match": kept.headers["etag"]})
            assert (again.status_code, again.content) == (304, b"")
        outside = httpx.get(f"{proxy.url}/metrics")
        assert (outside.status_code, httpx.get(f"{server.url}/metrics").status_code) == (404, 200)


def test_every_container_of_ours_gets_the_settings_of_the_person() -> None:
    for name, service in COMPOSE["services"].items():
        if service["image"].startswith("ukok-"):
            assert {"path": ".env", "required": False} in service["env_file"], name


def test_every_api_stops_before_compose_kills_it() -> None:
    last = re.compile(r"--timeout-graceful-shutdown\W+(\d+)")
    (image,) = (line for line in (ROOT / "docker" / "Dockerfile").read_text().splitlines() if '"uvicorn"' in line)
    for name, service in COMPOSE["services"].items():
        if service["image"] == "ukok-api":
            found = last.search(service.get("command", image))
            assert found, name
            assert int(found[1]) < int(service["stop_grace_period"].removesuffix("s")), name


def test_compose_mounts_upstreams_that_exist_and_trusts_nginx_only() -> None:
    source = COMPOSE["configs"]["upstreams"]["file"]
    assert source == "docker/upstreams.${NGINX_UPSTREAMS:-gateway}.conf"
    assert COMPOSE["services"]["nginx"]["configs"] == [{"source": "upstreams", "target": "/etc/nginx/upstreams.conf"}]
    nginx = COMPOSE["services"]["nginx"]["networks"]["default"]["ipv4_address"]
    (pool,) = COMPOSE["networks"]["default"]["ipam"]["config"]
    assert ipaddress.ip_address(nginx) in ipaddress.ip_network(pool["subnet"])
    assert ipaddress.ip_address(nginx) not in ipaddress.ip_network(pool["ip_range"]), "or another container may get it"
    for name, service in COMPOSE["services"].items():
        if service["image"] == "ukok-api":
            assert service["environment"]["FORWARDED_ALLOW_IPS"] == nginx, name
