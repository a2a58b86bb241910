"""Finds the proxies that the environment names.

aiohttp's `trust_env` is not used. It also sends passwords from ~/.netrc, and ignores ALL_PROXY.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.request import getproxies, proxy_bypass

from bot.backends.transport.base import NeverSentError
from bot.backends.transport.origins import InvalidUrlError, origin_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.backends.transport.origins import ServerOrigin


@dataclass(frozen=True, kw_only=True, slots=True)
class EnvironmentProxies:
    """The proxy for each URL scheme.

    The key `all` is for schemes without a proxy of their own. Loopback addresses are reached
    without a proxy.
    """

    by_scheme: Mapping[str, str]

    @classmethod
    def of_environment(cls) -> EnvironmentProxies:
        """Read HTTP_PROXY, HTTPS_PROXY and ALL_PROXY. NO_PROXY is checked later, for each host."""
        found = getproxies()
        return cls(
            by_scheme={
                scheme: url if "://" in url else f"http://{url}"
                for scheme in ("http", "https", "all")
                if (url := found.get(scheme))
            }
        )

    def url_for(self, origin: ServerOrigin) -> str | None:
        """Return the URL of the proxy for an origin, or None if it is reached without a proxy.

        Raises NeverSentError if the proxy's URL is unusable.
        """
        url = self.by_scheme.get(origin.scheme) or self.by_scheme.get("all")
        if url is None or proxy_bypass(origin.host):
            return None
        try:
            origin_of(url)
        except InvalidUrlError as error:
            raise NeverSentError("UnsupportedProxy") from error
        return url


NO_PROXIES = EnvironmentProxies(by_scheme={})
