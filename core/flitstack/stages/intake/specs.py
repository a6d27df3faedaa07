"""The spec of a run: the template found, its variables settled, rendered with export and account, compiled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flitstack.errors import ApprovalNeeded, SettingsError
from flitstack.mapping import find_template, load_spec, load_template
from flitstack.stages.publishing import REPORTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flitstack.mapping import Spec, Template
    from flitstack.protocols import Account, Stream
    from flitstack.stages.context import RunContext
    from flitstack.stages.setup import Setup


@dataclass(frozen=True, slots=True)
class Prepared:
    """A compiled spec, and what its gates' choices show.

    :param template: path of the template it was rendered from.
    :param file: path of the rendered spec, for people to read.
    :param attest: what whoever approves the choices attests in writing; "" for nothing.
    """

    spec: Spec
    template: str
    file: str
    choices: str
    attest: str = ""


def prepare_spec(ctx: RunContext, setup: Setup, account: Account, streams: Mapping[str, Stream]) -> Prepared:
    """Return the spec for what is staged now, kept in the journal.

    :raises ApprovalNeeded: a choice that has no default was not made.
    :raises MappingError, SettingsError: template, variables or spec are wrong.
    """
    path = find_template(
        setup.options.mapping or setup.registry.template(setup.source.name, setup.destination.name).path
    )
    template = load_template(path)
    choices = _choices(template, setup.variables, account)
    staging = ctx.journal.staging
    facts = {name: staging.distinct(fact.stream, fact.field) for name, fact in template.facts.items()}
    values = template.resolve(setup.variables, account.facts, facts)
    refuse_regrouping(ctx, template, values)
    text = template.render(values, facts, {"streams": staging.streams()}, account.facts)
    transforms = setup.registry.transforms()
    objects = [*ctx.behaviours.objects, ctx.behaviours.user]
    name, line = template.lines_of_spec()
    spec = load_spec(text, streams=streams, transforms=transforms, objects=objects, file=name, first_line=line)
    ctx.journal.records.keep_spec(spec.sha256, text, values, ctx.at(), _lineage(spec))
    ctx.spec_sha256 = spec.sha256
    return Prepared(spec, str(path), _written(ctx, spec), choices, _attestation(template, setup.variables))


def refuse_regrouping(ctx: RunContext, template: Template, values: Mapping[str, Any]) -> None:
    """Refuse another value of a policy that is fixed by the first write, with the price of writing all that anew.

    :raises SettingsError: names the policy, the value it was written with, and the price.
    """
    written = ctx.journal.runs.written_variables()
    if written is None:
        return
    defaults = template.variables.get("properties", {})
    for name, policy in template.policies.items():
        before = written.get(name, defaults[name].get("default"))
        if not policy.fixed or before == values[name]:
            continue
        held = ctx.journal.runs.held_of(policy.entries)
        if not held:
            continue  # nothing of it was written, or all of it was undone
        costs = {object_: ctx.behaviours.objects[object_].cost for object_ in held}
        units = sum(n * (costs[o].get("delete", 0) + costs[o].get("create", 0)) for o, n in held.items())
        raise SettingsError(
            f"{name}: the records were written with {name}={before}, and that cannot change after the first write: "
            f"{sum(held.values()):,} records would have to be deleted and written anew, about {units:,} units of the "
            f"destination's budget at the most. Run with --set {name}={before}."
        )


def _written(ctx: RunContext, spec: Spec) -> str:
    """Write the rendered spec where people find it, and return its path."""
    file = ctx.journal.path.parent / REPORTS / f"mapping-spec-{spec.sha256[:12]}.yaml"
    if not file.exists():
        file.parent.mkdir(mode=0o700, exist_ok=True)
        file.write_text(spec.text, encoding="utf-8")
        file.chmod(0o600)
    return str(file)


def _choices(template: Template, given: Mapping[str, object], account: Account) -> str:
    """Return what the choices made at gates show; stop when one is still to be made."""
    told: list[str] = []
    for name, gate in template.gates.items():
        variable, shows = str(gate["variable"]), gate["shows"]
        chosen = given.get(variable)
        if chosen is None:
            template.resolve({**given, variable: next(iter(shows))}, account.facts)  # other faults are told first
            offered = "\n".join(f"  {value}: {text}" for value, text in shows.items())
            raise ApprovalNeeded(
                f"== {name} ==\nChoose what moves:\n{offered}\n\nNothing was written. "
                f"Run the same command with {' or '.join(f'--set {variable}={value}' for value in shows)}."
            )
        told.append(f"{variable} = {chosen}: {shows.get(str(chosen), '')}")
    return "\n".join(told)


def _attestation(template: Template, given: Mapping[str, object]) -> str:
    """Return what the choices made at gates ask whoever approves them to attest."""
    asked = (gate.get("attest", {}).get(str(given.get(str(gate["variable"])))) for gate in template.gates.values())
    return " ".join(" ".join(str(words).split()) for words in asked if words)


def _lineage(spec: Spec) -> dict[str, dict[str, Any]]:
    """Return per entry and destination field where it comes from: the expression and the source columns."""
    return {
        entry.name: {
            name: {"expression": lineage.expression, "columns": list(lineage.columns)}
            for name, lineage in entry.lineage.items()
        }
        for entry in spec.entries
    }
