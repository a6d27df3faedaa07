"""Associations between records: those without a label, and those under a label that the account defines.

Source: HubSpot developer documentation, "Associations v4": at most 1,000 records to read, 2,000 pairs to write.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flitstack.errors import Rejected
from flitstack_hubspot.answers import NOT_FOUND, Call
from flitstack_hubspot.codec import PROPERTY_LINKS
from flitstack_hubspot.objects import KEY, SHAPES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from flitstack.protocols import Operation
    from flitstack_hubspot.client import Client
    from flitstack_hubspot.objects import Directory, Shape

PEOPLE = ("company", "contact")
READ_AT_ONCE = 1_000
WRITE_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Kind:
    """What a link is at the destination: to which object it leads, and by which type of association."""

    to: str
    type_id: int
    category: str

    def types(self) -> list[dict[str, Any]]:
        """Return it as a request spells it."""
        return [{"associationCategory": self.category, "associationTypeId": self.type_id}]


@dataclass(frozen=True, slots=True)
class Pair:
    """One association to make or to end."""

    from_id: str
    to_id: str
    kind: Kind


def kind_of(shape: Shape, link: str, directory: Directory) -> Kind:
    """Return what a link of a mapping is.

    :raises Rejected: the account has no such association.
    """
    label = directory.labels.get((shape.object, link))
    if label is not None:
        return Kind(label.to, label.type_id, "USER_DEFINED")
    if link in shape.default and has_plain_links(shape):
        return Kind(link, shape.default[link], "HUBSPOT_DEFINED")
    raise Rejected(
        "destination_refused",
        f'A {shape.object} has no association "{link}".',
        "Declare a label of this name in the mapping's schema.",
        link,
    )


def association_links(operation: Operation) -> dict[str, str]:
    """Return those of an operation's links that are associations: link to id, "" to end it."""
    return {name: id for name, id in operation.links.items() if name not in PROPERTY_LINKS}


def associations_of(shape: Shape, operation: Operation, directory: Directory) -> list[dict[str, Any]]:
    """Return the associations with which a record is created; one target stands there once with all its types.

    :raises Rejected: the account has no such association.
    """
    targets: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for link, id in association_links(operation).items():
        if id:
            kind = kind_of(shape, link, directory)
            targets.setdefault((kind.to, id), []).extend(kind.types())
    return [{"to": {"id": id}, "types": types} for (_, id), types in targets.items()]


def has_plain_links(shape: Shape) -> bool:
    """Tell whether associations without a label are links of a mapping.

    Between people and companies they are not: such a one may be anybody's, and each label brings one along.
    """
    return shape.object not in PEOPLE


def listed_with(shape: Shape) -> tuple[str, ...]:
    """Return the objects to which a list of an object tells associations without a label."""
    return tuple(shape.default) if has_plain_links(shape) else PEOPLE


def leads_of(shape: Shape, directory: Directory) -> dict[str, str]:
    """Return each link that is read back of an object, with the object that it leads to."""
    found = {name: to for name, to in PROPERTY_LINKS.items() if name in shape.natives}
    found |= {to: to for to in listed_with(shape)}
    return found | {name: kind.to for name, kind in read_kinds(shape, directory).items()}


def plain_links(shape: Shape, raw: Mapping[str, Any]) -> dict[str, str]:
    """Return the links without a label that a page of a list tells of a record, the lowest id of several.

    Of people and companies only those that carry no key have any: they hang on what they are associated with.
    """
    found: dict[str, str] = {}
    if not has_plain_links(shape) and (raw.get("properties") or {}).get(KEY):
        return found
    for to in listed_with(shape):
        results = ((raw.get("associations") or {}).get(SHAPES[to].path) or {}).get("results") or ()
        ids = sorted({str(one["id"]) for one in results}, key=_age)
        if ids:
            found[to] = ids[0]
    return found


def first_of(links: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return of each link the one id, the lowest of several."""
    return {name: ids[0] for name, ids in links.items() if ids}


def read_kinds(shape: Shape, directory: Directory, *, labels_only: bool = False) -> dict[str, Kind]:
    """Return the links that are read back of an object.

    :param labels_only: those without a label are known already, from a list.
    """
    names = [link for of, link in directory.labels if of == shape.object]
    if has_plain_links(shape) and not labels_only:
        names += shape.default
    return {name: kind_of(shape, name, directory) for name in names}


async def read_links(
    client: Client, shape: Shape, ids: Sequence[str], kinds: Mapping[str, Kind]
) -> dict[str, dict[str, list[str]]]:
    """Return, per record, link to the ids it leads to, the lowest first."""
    found: dict[str, dict[str, list[str]]] = {id: {} for id in ids}
    for to in sorted({kind.to for kind in kinds.values()}):
        here = {(kind.category, kind.type_id): name for name, kind in kinds.items() if kind.to == to}
        for start in range(0, len(ids), READ_AT_ONCE):
            part = ids[start : start + READ_AT_ONCE]
            for result in await _read(client, shape.path, SHAPES[to].path, part):
                links = found.get(str(result["from"]["id"]))
                if links is not None:
                    _note(links, result.get("to") or (), here)
    for links in found.values():
        for ids_there in links.values():
            ids_there.sort(key=_age)
    return found


def _age(id: str) -> tuple[int, str]:
    return (len(id), id)


async def _read(client: Client, path: str, to: str, ids: Iterable[str]) -> list[dict[str, Any]]:
    words = "/crm/v4/associations/{from}/{to}/batch/read"
    body = {"inputs": [{"id": id} for id in ids]}
    call = Call("POST", f"/crm/v4/associations/{path}/{to}/batch/read", body=body, reads=True, words_of=words)
    return (await client.send(call)).get("results") or []


def _note(links: dict[str, list[str]], targets: Iterable[Mapping[str, Any]], here: Mapping[Any, str]) -> None:
    for target in targets:
        for one in target.get("associationTypes") or ():
            name = here.get((one.get("category"), one.get("typeId")))
            if name is not None:
                links.setdefault(name, []).append(str(target["toObjectId"]))


async def write_links(client: Client, shape: Shape, operations: Sequence[Operation], directory: Directory) -> set[int]:
    """Let the links of records lead where updates say; return the operations of which a target is gone.

    What is there is read first, so that an association which has to go can be named, and read again afterwards where
    an answer speaks of errors.
    """
    wanted = {operation.id: (operation, association_links(operation)) for operation in operations}
    kinds = {link: kind_of(shape, link, directory) for _, links in wanted.values() for link in links}
    if not kinds:
        return set()
    ids = [str(operation.destination_id) for operation in operations]
    held = await read_links(client, shape, ids, kinds)
    gone, new = _differences(wanted.values(), kinds, held)
    await _end(client, shape, gone)
    if not await _make(client, shape, new):
        return set()
    held = await read_links(client, shape, ids, kinds)
    return {
        operation.id
        for operation, links in wanted.values()
        if any(id and id not in held[str(operation.destination_id)].get(link, ()) for link, id in links.items())
    }


def _differences(
    wanted: Iterable[tuple[Operation, dict[str, str]]],
    kinds: Mapping[str, Kind],
    held: Mapping[str, Mapping[str, Sequence[str]]],
) -> tuple[list[Pair], list[Pair]]:
    gone: list[Pair] = []
    new: list[Pair] = []
    for operation, links in wanted:
        from_id = str(operation.destination_id)
        for link, id in links.items():
            there = held[from_id].get(link, ())
            gone += [Pair(from_id, other, kinds[link]) for other in there if other != id]
            if id and id not in there:
                new.append(Pair(from_id, id, kinds[link]))
    return gone, new


async def _end(client: Client, shape: Shape, pairs: Sequence[Pair]) -> None:
    """End associations: under a label only the label goes, for the rest may be anybody's."""
    for to, part in _by_target(pairs):
        labels = [pair for pair in part if pair.kind.category == "USER_DEFINED"]
        plain = [pair for pair in part if pair not in labels]
        base, words = f"/crm/v4/associations/{shape.path}/{SHAPES[to].path}/batch", "/crm/v4/associations/{from}/{to}"
        if plain:
            inputs: list[Any] = [{"from": {"id": pair.from_id}, "to": [{"id": pair.to_id}]} for pair in plain]
            await client.send(
                Call("POST", f"{base}/archive", body={"inputs": inputs}, words_of=f"{words}/batch/archive")
            )
        if labels:
            inputs = [_input(pair) for pair in labels]
            path, said = f"{base}/labels/archive", f"{words}/batch/labels/archive"
            await client.send(Call("POST", path, body={"inputs": inputs}, words_of=said))


async def _make(client: Client, shape: Shape, pairs: Sequence[Pair]) -> bool:
    """Make associations; return whether an answer speaks of errors."""
    errors = False
    for to, part in _by_target(pairs):
        path, words = SHAPES[to].path, "/crm/v4/associations/{from}/{to}/batch/create"
        body = {"inputs": [_input(pair) for pair in part]}
        call = Call("POST", f"/crm/v4/associations/{shape.path}/{path}/batch/create", body=body, words_of=words)
        try:
            errors = bool((await client.send(call)).get("errors")) or errors
        except Rejected as exc:
            if len(part) > 1 or exc.code == NOT_FOUND:
                errors = True
            else:
                raise
    return errors


def _by_target(pairs: Sequence[Pair]) -> list[tuple[str, list[Pair]]]:
    targets = sorted({pair.kind.to for pair in pairs})
    parts: list[tuple[str, list[Pair]]] = []
    for to in targets:
        here = [pair for pair in pairs if pair.kind.to == to]
        parts += [(to, here[start : start + WRITE_AT_ONCE]) for start in range(0, len(here), WRITE_AT_ONCE)]
    return parts


def _input(pair: Pair) -> dict[str, Any]:
    return {"from": {"id": pair.from_id}, "to": {"id": pair.to_id}, "types": pair.kind.types()}
