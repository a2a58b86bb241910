"""The environment's proxies.

aiohttp's `trust_env` is not used: it also sends passwords from ~/.netrc, and ignores ALL_PROXY.
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
    """The proxy for each scheme; `all` is for the others. Loopback is reached directly."""

    by_scheme: Mapping[str, str]

    @classmethod
    def of_environment(cls) -> EnvironmentProxies:
        """Read HTTP_PROXY, HTTPS_PROXY and ALL_PROXY. NO_PROXY is read for each host."""
        found = getproxies()
        return cls(
            by_scheme={
                scheme: url if "://" in url else f"http://{url}"
                for scheme in ("http", "https", "all")
                if (url := found.get(scheme))
            }
        )

    def url_for(self, origin: ServerOrigin) -> str | None:
        """Return the proxy's URL, or None without a proxy; NeverSentError: it can't be used."""
        url = self.by_scheme.get(origin.scheme) or self.by_scheme.get("all")
        if url is None or proxy_bypass(origin.host):
            return None
        try:
            origin_of(url)
        except InvalidUrlError as error:
            raise NeverSentError("UnsupportedProxy") from error
        return url


NO_PROXIES = EnvironmentProxies(by_scheme={})
