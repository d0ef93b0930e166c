"""Address of a client, as limits count it."""

import ipaddress

import structlog
from starlette.types import Scope

log = structlog.get_logger()

FORWARDED = b"x-forwarded-for"
# Prefix length of the network that an IPv6 subscriber gets.
SUBSCRIBER_BITS = 64
# Peers that were warned of; more than so many are not named.
MOST_WARNED = 10
_warned: set[str] = set()


def client_address(scope: Scope) -> str:
    """Return an IPv4 address, or the network of an IPv6 address, since a subscriber has all addresses of it.

    Uvicorn has replaced the address of a proxy that it trusts by the one that the proxy names.
    """
    host = scope["client"][0] if scope.get("client") else "unknown"
    _warn_of_proxy(scope, host)
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return str(host)
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address.packed, SUBSCRIBER_BITS), strict=False))
    return str(address)


def _warn_of_proxy(scope: Scope, host: str) -> None:
    """Warn once of a proxy that is not trusted: all clients behind it would share the limits of one address."""
    named = [value for name, value in scope["headers"] if name == FORWARDED]
    if not named or host in _warned or len(_warned) >= MOST_WARNED or host.encode() in b",".join(named):
        return
    _warned.add(host)
    log.warning(
        "untrusted_proxy",
        peer=host,
        reason="X-Forwarded-For of a peer that is not trusted: if it is your proxy, name it in FORWARDED_ALLOW_IPS, or "
        "all of its clients share the limits of one address",
    )
