"""Named switches for what a real instance does on a bad day; each may be limited to some calls."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass
from typing import Any

from vmo_bridge.sandbox.servicenow.replies import Dropped

_HOME = "servicenow"
#: Switch → what its value means.
KNOWN: dict[str, str] = {
    "acl_drop_fields": "list of elements the caller may not read: they are absent",
    "acl_drop_rows": "encoded query of the rows the caller may not read",
    "aggregate_off": "true: the Aggregate API answers 403",
    "audit_delete": "days sys_audit_delete remembers | 'no_role': no rows | 'none': not written",
    "batch_off": "true: there is no Batch API",
    "batch_partial": "ids a batch leaves unserviced, or how many of its last ones",
    "business_rule_abort": "name of the business rule that aborts writes",
    "changelog_truncated": "Jira: number of entries a changelog inside an issue shows",
    "count": "'off': no X-Total-Count",
    "daily_quota": "SurveyMonkey: calls a day instead of 500",
    "data_policy": "list of elements that must not be empty: such a write gets 403",
    "display_quirks": "'off': no null, UNKNOWN, commas or currency_display_value in display values",
    "drop_reply_after_commit": "true or a callable: the write is kept, no reply comes",
    "empty_page_with_token": "Jira: true: a search page without issues that has a token",
    "fail_next": "true or a callable: the connection is closed before anything happened",
    "field_acl_write": "list of elements whose new values are dropped in silence",
    "field_not_on_screen": "Jira: list of field ids that are on no screen",
    "hourly_quota": "requests an hour and user: then 429; every reply tells of the rule",
    "html_200": "hibernation | login | maintenance: a page instead of data",
    "http_status": "Jira and SurveyMonkey: this status, e.g. 503, instead of an answer",
    "import_row_error": "error of a row of an import set: 201 all the same",
    "jql_epoch": "Jira: 'refused': no milliseconds as dates in JQL",
    "late_commit": "seconds a change stays invisible, or a list of sys_ids that are invisible",
    "late_counters": "seconds until hourly_quota knows of a request, e.g. 30",
    "late_edit": "SurveyMonkey: true: a page's first unfinished response is finished after it",
    "latency_ms": "milliseconds to wait before the answer",
    "limit_before_acl": "'off': unreadable rows are left out before the limit",
    "link_header": "'off' | 'odd' (rel=prev with offset=-1 on the first page)",
    "login_redirect": "true: 302 to the login page",
    "long_links": "longest address (characters) of a list with a Link header: above it 400",
    "long_url": "longest address (characters): above it 414",
    "max_results_cap": "Jira: most issues on a page of a search",
    "minute_quota": "SurveyMonkey: calls a minute instead of 120",
    "missing_is_last": "Jira: true: search pages do not say isLast",
    "mutate_between_pages": "what to do after a list page: a callable, or a list of writes",
    "no_refresh_token": "true: tokens come without a refresh_token",
    "odd_opener": "true: opened_by is glide.maint, which is no sys_id and has no name",
    "page_drift": "SurveyMonkey: true: the first response of a page is changed after it",
    "query_invalid": "'no_rows': a query with an invalid part returns nothing",
    "rate_limit": "seconds for Retry-After: 429 (limit with times=N)",
    "rate_limit_reason": "Jira: 429 with this RateLimit-Reason (limit with times=N)",
    "read_only": "true: every write is refused with 403",
    "refresh_refused": "true: refresh tokens are not accepted",
    "repeated_token": "Jira: true: a search page returns the token that was sent",
    "retry_after": "Jira: seconds | 'date' | 'missing' in a 429 of rate_limit_reason",
    "search_lag": "Jira: seconds a change is not found by a search",
    "search_removed": "Jira: 'off': the Cloud still has the old search",
    "silent_update": "true: writes do not touch sys_updated_on and sys_mod_count",
    "survey_deleted": "SurveyMonkey: id of a survey that is gone (half-way: with skip=N)",
    "timeout": "500 | 200_error | string_row | truncated",
    "token_expired": "true: access tokens are not accepted",
    "token_expiry": "Jira: true: page tokens are expired",
    "token_seconds": "seconds an access token lives instead of 1,800",
    "unauthorised": "true: 401 for everybody",
    "user_time_zone": "zone name instead of the user's own; Jira reads dates in it too",
    "v1_empty_404": "'off': version 1 lists nothing with 200, as version 2 does",
}


@dataclass(slots=True)
class Fault:
    """One switch that is on.

    It acts on requests to ``app`` (servicenow, jira, jiradc or surveymonkey; any if "") for
    ``table`` (any if ""; outside ServiceNow the first part of the path) by ``method`` (any if "")
    and ``user`` (any if ""), after ``skip`` such requests, and ``times`` times (0 = until
    cleared).
    """

    name: str
    value: Any = True
    table: str = ""
    method: str = ""
    user: str = ""
    skip: int = 0
    times: int = 0
    app: str = ""


class Faults:
    """The switches of one server; safe to use from any thread."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def set(
        self,
        name: str,
        value: Any = True,
        *,
        table: str = "",
        method: str = "",
        user: str = "",
        skip: int = 0,
        times: int = 0,
        app: str = "",
    ) -> None:
        """Turn a switch on; the same switch may be set several times with other limits."""
        if name not in KNOWN:
            message = f"faults: {name!r} is no switch; one of {', '.join(sorted(KNOWN))}"
            raise ValueError(message)
        with self._lock:
            self._faults.append(Fault(name, value, table, method.upper(), user, skip, times, app))

    def clear(self, name: str = "") -> None:
        """Turn a switch off, or all of them."""
        with self._lock:
            self._faults = [fault for fault in self._faults if name and fault.name != name]

    def active(self) -> list[dict[str, Any]]:
        """What is on, as plain values."""
        with self._lock:
            return [
                asdict(fault)
                | {"value": repr(fault.value) if callable(fault.value) else fault.value}
                for fault in self._faults
            ]

    def drop(self, name: str, *, table: str = "", method: str = "", user: str = "") -> None:
        """Cut the connection if a switch says so; a callable value is called before that."""
        value = self.take(name, table=table, method=method, user=user)
        if callable(value):
            value()
        if value:
            raise Dropped

    def take(
        self, name: str, *, table: str = "", method: str = "", user: str = "", app: str = _HOME
    ) -> Any:
        """The value of a switch for this request, counted as one use; None when it is off."""
        with self._lock:
            for fault in self._faults:
                if fault.name != name or not _meant(fault, app, table, method, user):
                    continue
                if fault.skip:
                    fault.skip -= 1
                    continue
                if fault.times:
                    fault.times -= 1
                    if not fault.times:
                        self._faults.remove(fault)
                return fault.value
        return None


def _meant(fault: Fault, app: str, table: str, method: str, user: str) -> bool:
    pairs = ((fault.app, app), (fault.table, table), (fault.method, method), (fault.user, user))
    return all(wanted in ("", given) for wanted, given in pairs)
