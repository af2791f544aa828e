"""The HTTP client that connectors share: time limits, patience with limits, words for failures."""

from __future__ import annotations

import email.utils
import ipaddress
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import httpx
import stamina

from vmo_bridge.connectors.budget import HourBudget
from vmo_bridge.errors import RetryLater, SignInError, TooSlow

log = logging.getLogger(__name__)

_AWAY = {502, 503, 504}
_PATIENCE_SECONDS = 30.0
"""A source that asks for a longer wait is left alone until then, instead of being waited for."""


class _TryAgain(Exception):
    """Inside only: this attempt failed in a way that may pass."""

    def __init__(self, cause: RetryLater, wait: float | None = None) -> None:
        super().__init__(str(cause))
        self.cause = cause
        self.wait = wait


class HttpClient:
    """Talks to one source over HTTP.

    ``auth`` signs requests; ``transport`` replaces the network (tests pass one); ``resume_at``
    reads from the headers of a 429 when to come back, where a source has a way of its own;
    ``budget`` counts every call.
    Redirects are not followed: an API that redirects is a sign-in page in disguise.
    """

    def __init__(
        self,
        name: str,
        url: str,
        *,
        auth: httpx.Auth | None = None,
        timeout: float = 60.0,
        attempts: int = 3,
        transport: httpx.BaseTransport | None = None,
        resume_at: Callable[[Mapping[str, str]], datetime | None] | None = None,
        budget: HourBudget | None = None,
    ) -> None:
        self.name = name
        self._resume_at = resume_at or retry_moment
        self._budget = budget
        self.url = url.rstrip("/")
        self._attempts = attempts
        self._client = httpx.Client(
            base_url=self.url,
            auth=auth,
            timeout=httpx.Timeout(timeout, connect=5.0),
            headers={"Accept": "application/json"},
            follow_redirects=False,
            # Every request signs in by itself: a kept session would outlive a revoked right.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            # A proxy of the environment leads out of this machine.
            trust_env=not is_loopback_url(self.url),
            transport=transport,
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def get(
        self, path: str, params: Mapping[str, str] | None = None, *, attempts: int | None = None
    ) -> httpx.Response:
        """GET with patience: what may pass is tried again, what won't raises at once.

        Raises ``RetryLater`` (away or limiting, with the moment if the source names one),
        ``TooSlow`` and ``SignInError`` (401, or a redirect). Any other answer is returned for the
        caller to judge.
        """
        return self.send("GET", path, params, attempts=attempts or self._attempts)

    def post(self, path: str, content: Mapping[str, Any], *, attempts: int = 1) -> httpx.Response:
        """POST JSON once: repeating what may have been done is the caller's decision.

        A POST that only reads may have more ``attempts``.
        """
        return self.send("POST", path, content=dict(content), attempts=attempts)

    def send(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None = None,
        *,
        content: Any = None,
        attempts: int,
    ) -> httpx.Response:
        """Any method, with ``content`` as JSON (None: without a body), and as many ``attempts``."""
        try:
            if attempts == 1:
                return self._once(method, path, params, json=content)
            for attempt in stamina.retry_context(
                on=_backoff, attempts=attempts, wait_initial=0.25, wait_max=4.0
            ):
                with attempt:
                    return self._once(method, path, params, json=content)
        except _TryAgain as failure:
            raise failure.cause from failure
        raise AssertionError("the retry loop either returns or raises")

    def _once(
        self, method: str, path: str, params: Mapping[str, str] | None, json: Any = None
    ) -> httpx.Response:
        if self._budget:
            self._budget.spend()
        try:
            response = self._client.request(method, path, params=params, json=json)
        except httpx.ReadTimeout as error:
            raise TooSlow(f"{self.name}: {self.url} did not answer in time") from error
        except httpx.RequestError as error:  # the network's failures, and a body that is garbled
            raise _TryAgain(
                RetryLater(
                    f"{self.name}: {self.url} cannot be reached ({_cause(error)}); "
                    "check the address and the network"
                )
            ) from error
        if self._budget:
            self._budget.hear(response.headers)
        self._judge(response)
        return response

    def _judge(self, response: httpx.Response) -> None:
        if response.status_code == 401:
            raise SignInError(
                f"{self.name}: {self.url} refused the credentials (401); "
                "check user and secret, and that they are allowed to use the API"
            )
        if response.is_redirect:
            raise SignInError(
                f"{self.name}: {self.url} redirects to a sign-in page "
                f"({response.status_code}); the API needs an account that signs in without it"
            )
        if response.status_code == 429:
            limits = f"limits us (429{_reason(response.headers)})"
            raise self._later(limits, self._resume_at(response.headers))
        if response.status_code in _AWAY:
            answers = f"answers {response.status_code}; it is down or overloaded, "
            retry_at = retry_moment(response.headers)
            raise self._later(f"{answers}the next run tries again", retry_at)

    def _later(self, what: str, retry_at: datetime | None) -> Exception:
        """A failure that may pass: tried again soon, unless the source names a later moment."""
        wait = (retry_at - datetime.now(tz=UTC)).total_seconds() if retry_at else None
        failure = RetryLater(
            f"{self.name}: {self.url} {what}"
            + (f"; resume at {retry_at:%Y-%m-%d %H:%M:%S} UTC" if retry_at else ""),
            retry_at=retry_at,
        )
        if wait is not None and wait > _PATIENCE_SECONDS:
            return failure
        return _TryAgain(failure, wait=max(wait, 0.0) if wait is not None else None)


def _backoff(error: Exception) -> bool | float:
    """For stamina: whether to try again, and after how many seconds if the source said so."""
    if not isinstance(error, _TryAgain):
        return False
    return error.wait or True


def retry_moment(headers: Mapping[str, str]) -> datetime | None:
    """When a limited client may come back: ``Retry-After`` in seconds or as an HTTP date.

    Without one, ``X-RateLimit-Reset`` tells it where it is a moment (ISO 8601, as Jira writes it).
    """
    given = headers.get("Retry-After", "").strip()
    try:
        if not given:
            reset = datetime.fromisoformat(headers.get("X-RateLimit-Reset", "").strip())
            return reset.astimezone(UTC) if reset.tzinfo else None
        if given.isascii() and given.isdigit():
            return datetime.now(tz=UTC) + timedelta(seconds=int(given))
        moment = email.utils.parsedate_to_datetime(given)
        # The zone "-0000" comes back naive, and means UTC (RFC 5322, 3.3).
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _reason(headers: Mapping[str, str]) -> str:
    """Which of its limits was met, where the source says so."""
    reason = headers.get("RateLimit-Reason", "")
    return f", {reason:.60}" if reason else ""


def is_safe_url(url: str) -> bool:
    """Whether an address may carry credentials: https, or http on this machine only.

    One that holds credentials itself is not: addresses stand in logs and messages.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port  # refuses what is no port
    except ValueError:
        return False
    host = parts.hostname
    if not host or parts.username is not None or parts.password is not None:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))


def is_loopback_url(url: str) -> bool:
    """Whether an address is on this machine."""
    return _is_loopback(urlsplit(url).hostname or "")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _cause(error: BaseException) -> str:
    """The innermost reason in words, such as ``Connection refused``."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__ or error
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return text or type(error).__name__
