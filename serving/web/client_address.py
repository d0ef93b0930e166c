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
    host = str(scope["client"][0]) if scope.get("client") else "unknown"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if address.is_private:
        _warn_of_proxy(scope, host)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address.packed, SUBSCRIBER_BITS), strict=False))
    return str(address)


def _warn_of_proxy(scope: Scope, host: str) -> None:
    """Warn once of a proxy that is not trusted: all clients behind it would share the limits of one address.

    Of private and loopback addresses alone, as a proxy has: clients of the internet could use the warnings up.
    """
    headers = (value.decode("latin-1") for name, value in scope["headers"] if name == FORWARDED)
    named = {each.strip() for value in headers for each in value.split(",")} - {""}
    if not named or host in named or host in _warned or len(_warned) >= MOST_WARNED:
        return
    _warned.add(host)
    log.warning(
        "untrusted_proxy",
        peer=host,
        reason="X-Forwarded-For of a peer that is not trusted: if it is your proxy, name it in FORWARDED_ALLOW_IPS, or "
        "all of its clients share the limits of one address",
    )
