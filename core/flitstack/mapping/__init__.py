"""The mapping room: a template becomes a spec, a spec's expressions make desired records of source records."""

from __future__ import annotations

from flitstack.mapping.canonical import canonical
from flitstack.mapping.entries import Entry, OwnerSource
from flitstack.mapping.fit import Fit, fit_schema
from flitstack.mapping.functions import BUILTIN
from flitstack.mapping.model import (
    Contribution,
    Desired,
    Lineage,
    Owner,
    RejectedEntry,
    Skipped,
)
from flitstack.mapping.records import Scope, SourceRecord
from flitstack.mapping.reporting import Reporting, outline
from flitstack.mapping.spec import SkippedStream, Spec, load_spec, spec_schema
from flitstack.mapping.template import Fact, Template, find_template, load_template, shipped_templates

__all__ = [
    "BUILTIN",
    "Contribution",
    "Desired",
    "Entry",
    "Fact",
    "Fit",
    "Lineage",
    "Owner",
    "OwnerSource",
    "RejectedEntry",
    "Reporting",
    "Scope",
    "Skipped",
    "SkippedStream",
    "SourceRecord",
    "Spec",
    "Template",
    "canonical",
    "find_template",
    "fit_schema",
    "load_spec",
    "load_template",
    "outline",
    "shipped_templates",
    "spec_schema",
]
