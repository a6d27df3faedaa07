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
    :param due_time_zone: zone of an activity's due time in v2; v1 shows it in UTC.
    :param activity_times: what `add_time` and `marked_as_done_time` of an activity do: 400, dropped, or stored.
    :param deletes_below: deleting a person or organization deletes the deals, activities and notes that hang on it.
    :param undelete_deal: what `is_deleted: false` does to a deleted deal: 404, nothing, or it brings the deal back.
    :param required_fields: a new person, organization or deal without a required custom field is refused.
    :param over_limit: what a list does that is asked for more than its largest page: 400, or its largest page.
    :param empty_lists: an empty list of phones or emails is refused.
    :param empty_natives: "" and null empty a deal's expected_close_date and an activity's due_date and note.
    :param repeated_options: what a new field does with an option label given twice: 400, one option, or two.
    :param repeated_names: a second custom field of the same name is refused.
    :param note_tags: of a note's HTML all common formatting stays, or only what formats inside a line.
    :param note_max: longest note of a record or of an activity, characters.
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
    due_time_zone: Literal["utc", "user"] = "utc"
    activity_times: Literal["refuse", "drop", "store"] = "refuse"
    deletes_below: bool = False
    undelete_deal: Literal["refuse", "ignore", "restore"] = "refuse"
    required_fields: bool = False
    over_limit: Literal["refuse", "cap"] = "refuse"
    empty_lists: Literal["take", "refuse"] = "take"
    empty_natives: Literal["refuse", "take"] = "refuse"
    repeated_options: Literal["refuse", "merge", "keep"] = "refuse"
    repeated_names: Literal["take", "refuse"] = "take"
    note_tags: Literal["common", "inline"] = "common"
    note_max: int = 100_000

    @property
    def whims(self) -> bool:
        """Return whether the account differs in something that `whims` lets it do."""
        return self.unlike_specified != _SPECIFIED

    @property
    def unlike_specified(self) -> tuple[object, ...]:
        """Return the switches that `whims` obeys."""
        return (
            self.due_time_zone,
            self.activity_times,
            self.deletes_below,
            self.undelete_deal,
            self.required_fields,
            self.over_limit,
            self.empty_lists,
            self.empty_natives,
            self.repeated_options,
            self.repeated_names,
            self.note_tags,
            self.note_max,
        )


_SPECIFIED = Switches().unlike_specified
