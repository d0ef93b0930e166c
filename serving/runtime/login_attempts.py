"""Rate limit of failed logins, per account and per address; each process of the API counts for itself."""

import ipaddress
import math
import threading
import time
from itertools import islice

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.exceptions import HTTPException

PER_ACCOUNT = RateLimitItemPerMinute(10, 5, namespace="account")
PER_ADDRESS = RateLimitItemPerMinute(100, 5, namespace="address")
# Beyond so many accounts and addresses, the oldest are forgotten.
MAX_COUNTED = 10_000
# Prefix length of the network that an IPv6 subscriber gets.
SUBSCRIBER_BITS = 64


class LoginAttempts:
    """Counts failed logins; the library reads the wall clock itself."""

    def __init__(self, max_counted: int = MAX_COUNTED) -> None:
        self._max_counted = max_counted
        self._storage = MemoryStorage()
        self._limiter = MovingWindowRateLimiter(self._storage)
        self._lock = threading.Lock()

    def begin(self, account: str | None, host: str) -> None:
        """Count an attempt before its password is checked, so that concurrent ones are limited too.

        Attempts without an account (None) count as one account of the address. Raises 429 with the seconds until the
        next attempt is allowed.
        """
        address = _address(host)
        with self._lock:
            self._forget_oldest()
            for limit, who in ((PER_ADDRESS, address), (PER_ACCOUNT, account or address)):
                if not self._limiter.hit(limit, who):
                    raise _too_many(self._seconds_until_free(limit, who))

    def succeed(self, account: str, host: str) -> None:
        """Reset the count of the account, and take the attempt off the count of the address."""
        address = PER_ADDRESS.key_for(_address(host))
        with self._lock:
            self._clear(PER_ACCOUNT.key_for(account))
            with self._storage.locks[address]:
                del self._storage.events.get(address, [])[:1]

    @property
    def counted(self) -> int:
        """Number of accounts and addresses that are counted."""
        return len(self._storage.events)

    def _seconds_until_free(self, limit: RateLimitItem, who: str) -> int:
        free_at = self._limiter.get_window_stats(limit, who).reset_time
        return max(1, math.ceil(free_at - time.time()))

    def _forget_oldest(self) -> None:
        """Remove old keys, which the library never does."""
        if self.counted < self._max_counted:
            return
        idle = [key for key, times in list(self._storage.events.items()) if not times]
        # An attempt adds two keys at most, its account and its address.
        for key in idle or list(islice(self._storage.events, 2)):
            self._clear(key)

    def _clear(self, key: str) -> None:
        # The library's own thread, which removes expired attempts, may use the same key.
        with self._storage.locks[key]:
            self._storage.clear(key)


def _too_many(seconds: int) -> HTTPException:
    detail = f"too many login attempts: try again in {seconds} seconds"
    return HTTPException(429, detail, headers={"Retry-After": str(seconds)})


def _address(host: str) -> str:
    """Return what is counted: an IPv4 address, or the network of an IPv6 address."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is None:
        return str(ipaddress.ip_network((address.packed, SUBSCRIBER_BITS), strict=False))
    return str(address)
