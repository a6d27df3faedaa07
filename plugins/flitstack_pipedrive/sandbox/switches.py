"""What nobody has written down about the API, as switches: each default is the stricter guess."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Switches:
    """How the sandbox behaves where the documentation is silent or sources disagree.

    :param errors_cost_tokens: a refused request (4xx) costs as much as a successful one.
    :param deal_add_time: what `add_time` in a deal's body does: 400, dropped without a word, or stored.
    :param activity_person_id: what a top-level `person_id` of an activity does: 400, or dropped (the migration guide
        calls it read-only; participants are the way).
    :param list_lag_s: lists show a record only this many seconds after it was created; reading it by id always works.
    :param search_lag_s: a search finds a record, and its changes, only this many seconds after they were made.
    :param search_keeps_deleted: a search goes on finding deleted organizations for good, deleted persons for an hour.
    :param left_v1: what v1 operations answer that have left the specs (persons, deals, pipelines ...): 410, 404, or,
        for persons, organizations, deals and activities, what they used to.
    :param oauth: the tokens are an OAuth app's, which may make four times as many requests per rolling two seconds.
    :param contact_sync: the account has contact sync, so persons take notes, im, birthday, job_title, postal_address.
    :param organization_profile: organizations take website, linkedin, industry, annual_revenue, employee_count.
    :param daily_token_headers: answers carry `x-daily-ratelimit-token-limit` and `-remaining`.
    :param daily_writes_cap: POST and PUT requests per user and day; when set, their answers carry
        `x-daily-requests-left`.
    :param reset_hour_utc: hour at which the daily budgets start anew.
    :param abuse_after: this many 429 answers to one token within a minute end in 403 with an HTML page for a minute.
    :param burst: requests per rolling two seconds and token instead of the plan's.
    :param search_burst: searches per rolling two seconds and token.
    :param name_max: longest name, title or subject, characters.
    """

    errors_cost_tokens: bool = False
    deal_add_time: Literal["refuse", "drop", "store"] = "refuse"
    activity_person_id: Literal["refuse", "drop"] = "refuse"
    list_lag_s: float = 0.0
    search_lag_s: float = 0.0
    search_keeps_deleted: bool = True
    left_v1: Literal["gone", "not_found", "as_before"] = "gone"
    oauth: bool = False
    contact_sync: bool = False
    organization_profile: bool = False
    daily_token_headers: bool = False
    daily_writes_cap: int | None = None
    reset_hour_utc: int = 0
    abuse_after: int | None = None
    burst: int | None = None
    search_burst: int = 10
    name_max: int = 255
