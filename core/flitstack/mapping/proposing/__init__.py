"""Proposes a map for an export that no layout knows: which file is which stream, which column which field."""

from __future__ import annotations

from flitstack.mapping.proposing.account import AccountWords, KnownAccount
from flitstack.mapping.proposing.customs import custom_fields, infer_type
from flitstack.mapping.proposing.matcher import Matcher
from flitstack.mapping.proposing.memory import Memory, Remembered, memory_folder
from flitstack.mapping.proposing.names import Vocabulary
from flitstack.mapping.proposing.personal import Personal

__all__ = [
    "AccountWords",
    "KnownAccount",
    "Matcher",
    "Memory",
    "Personal",
    "Remembered",
    "Vocabulary",
    "custom_fields",
    "infer_type",
    "memory_folder",
]
