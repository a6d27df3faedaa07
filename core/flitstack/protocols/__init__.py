"""The shapes that rooms pass to each other: small Protocols, and the frozen dataclasses they exchange."""

from __future__ import annotations

from flitstack.protocols.base import JSON, LinkRef, Schema, Severity, Verb, full_key, source_key, split_source_key
from flitstack.protocols.destination import (
    Account,
    Behaviours,
    ObjectBehaviour,
    Operation,
    Outcome,
    SchemaItem,
    Spent,
    Stored,
    User,
    Writer,
)
from flitstack.protocols.plugins import (
    DestinationPlugin,
    MappingTemplate,
    SourcePlugin,
    StagedView,
    Transform,
    Validator,
    WriterContext,
)
from flitstack.protocols.source import (
    Attachments,
    Finding,
    InputFile,
    Record,
    Rejection,
    Skip,
    SourceReader,
    Stream,
    Where,
)

__all__ = [
    "JSON",
    "Account",
    "Attachments",
    "Behaviours",
    "DestinationPlugin",
    "Finding",
    "InputFile",
    "LinkRef",
    "MappingTemplate",
    "ObjectBehaviour",
    "Operation",
    "Outcome",
    "Record",
    "Rejection",
    "Schema",
    "SchemaItem",
    "Severity",
    "Skip",
    "SourcePlugin",
    "SourceReader",
    "Spent",
    "StagedView",
    "Stored",
    "Stream",
    "Transform",
    "User",
    "Validator",
    "Verb",
    "Where",
    "Writer",
    "WriterContext",
    "full_key",
    "source_key",
    "split_source_key",
]
