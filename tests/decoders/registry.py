"""Whose keys are whose: entries, and what they make of the registry."""

from collections.abc import Iterator

from ledger import fold, registration, registry
from ledger.errors import MalformedError, RegistryError, UserError
from ledger.section import ContentFormat, Privacy, Section
from tests import cast, seeds
from tests.decoders.target import Target, of_bytes, of_text


def targets() -> Iterator[Target]:
    """Each decoder of this part, with what it reads well."""
    yield of_bytes("ledger.registry.registry.decode", registry.decode, MalformedError, *seeds.ENTRIES)
    yield of_bytes("ledger.registry.registry.Registry.apply", _apply, (MalformedError, RegistryError), *seeds.ENTRIES)
    yield of_bytes(
        "ledger.registry.registry.Registry.apply genesis", _found, (MalformedError, RegistryError), cast.GENESIS
    )
    yield of_bytes("ledger.fold.apply", _fold, (), *seeds.ENTRIES)
    yield of_text("ledger.registration.read", registration.read, UserError, *seeds.REGISTRATIONS)


def _apply(body: bytes) -> registry.Registry:
    state = cast.peopled()
    kind = registry.decode(body)["type"]
    signer = {"finding": cast.GATEWAY, "label-batch": cast.LABELS, "label-finding": cast.LABELS}.get(
        kind, cast.OPERATOR
    )
    state.apply(3, signer.kid, body)
    return state


def _found(body: bytes) -> None:
    registry.Registry().apply(0, cast.ROOT.kid, body)


def _fold(data: bytes) -> str | None:
    section = Section(bytes(16), data).encode()
    line = Section(bytes(16), data).line(
        kid=cast.OPERATOR.kid, privacy=Privacy.PUBLIC, content_format=ContentFormat.REGISTRY
    )
    statement = cast.sign(cast.OPERATOR, manifest=[line])
    return fold.apply(cast.peopled(), fold.Stored(3, statement.encode(), {0: section}))
