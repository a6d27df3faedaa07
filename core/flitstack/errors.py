"""Every public exception of flit, grouped by what to do next.

::

    FlitError
    |-- UsageError                 exit 2: the command, its options or the input cannot be used as given
    |   `-- NotAnExportError       the input is no export that the source knows
    |-- ApprovalNeeded             exit 3: a person must approve first
    |-- ConfigurationError         exit 4: settings, plugins, sign-in or permissions
    |   |-- PluginError            one plugin is broken; names plugin, distribution and cause
    |   |-- SettingsError          a setting does not fit the plugin's schema
    |   |-- MappingError           a template or spec is wrong; names file, line and the nearest name
    |   |-- AuthError              the destination refuses the token or the user's rights
    |   `-- PlanLimit              the account's plan has no room for what is needed
    |-- Interrupted                exit 130: stopped by a person; the same command carries on
    |-- Stopped                    exit 5: resumable
    |   |-- RateLimited            wait `retry_after_s`; nothing was written
    |   |-- BudgetExhausted        the daily budget is used up; `resets_at` when known
    |   |-- NotSent                the request never left; safe to send again
    |   |-- Unavailable            the destination does not answer
    |   `-- JournalError           the journal cannot be written (disk full) or is held by another run
    |-- InDoubt                    a write may have happened; reconcile before sending again
    |-- Rejected                   this record cannot move; code, reason and what to do
    `-- Fatal                      a bug in flit or a plugin, or an answer nobody documented
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


class FlitError(Exception):
    """Base of all errors flit raises on purpose: the message says what, where and what to do."""

    exit_code = 1


class UsageError(FlitError):
    """The command, its options or its input cannot be used as given."""

    exit_code = 2


class NotAnExportError(UsageError):
    """The input is no export that the chosen source recognises."""


class ApprovalNeeded(FlitError):
    """A gate is open: a person must approve what was shown.

    :param gates: (name, hash) of each open gate; empty while a choice without default is still to be made.
    """

    exit_code = 3

    def __init__(self, message: str, gates: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(message)
        self.gates = tuple(gates)


class ConfigurationError(FlitError):
    """Settings, plugins, sign-in or permissions are not as the run needs them."""

    exit_code = 4


class PluginError(ConfigurationError):
    """A plugin cannot be used; the message names plugin, distribution and cause."""


class SettingsError(ConfigurationError):
    """A setting does not fit its plugin's schema."""


class MappingError(ConfigurationError):
    """A mapping template or spec is wrong; the message names file, line and the nearest name."""


class AuthError(ConfigurationError):
    """The destination refuses the token, or its user lacks a right the migration needs."""


class PlanLimit(ConfigurationError):
    """The account's plan has no room for what is needed."""


class Interrupted(FlitError):
    """A person stopped the run; the same command carries on."""

    exit_code = 130


class Stopped(FlitError):
    """The run had to stop and can be resumed with the same command."""

    exit_code = 5


class RateLimited(Stopped):
    """The destination asks to wait; the request was refused and nothing was written.

    :param retry_after_s: seconds to wait before sending again.
    """

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class BudgetExhausted(Stopped):
    """The destination's daily budget is used up.

    :param resets_at: when it is full again, UTC; None when the destination does not say.
    """

    def __init__(self, message: str, resets_at: datetime | None = None) -> None:
        super().__init__(message)
        self.resets_at = resets_at


class NotSent(Stopped):
    """The request never left this machine: it is safe to send again."""


class Unavailable(Stopped):
    """The destination does not answer, or answers that it is down; a read may simply be tried again."""


class JournalError(Stopped):
    """The journal cannot be written, cannot be read, or is held by another run."""


class InDoubt(FlitError):
    """A write was sent and its answer is unknown: it may have happened.

    :param refusal: what the answer says, when it is one that contradicts itself (accepted, and yet refused): a record
        that is not there when it is looked up was refused.
    """

    def __init__(self, message: str, refusal: Rejected | None = None) -> None:
        super().__init__(message)
        self.refusal = refusal


class Rejected(FlitError):
    """This record cannot move.

    :param code: stable code, listed in the documentation of rejections.
    :param reason: why, in one sentence, without a value of the record.
    :param hint: what to do about it.
    :param field: the column or field that is at fault, if one is.
    """

    def __init__(self, code: str, reason: str, hint: str, field: str | None = None) -> None:
        super().__init__(f"{reason} {hint}")
        self.code = code
        self.reason = reason
        self.hint = hint
        self.field = field


class Fatal(FlitError):
    """A bug, or an answer nobody documented; the run stops and nothing is guessed."""
