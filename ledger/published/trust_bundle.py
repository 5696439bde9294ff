"""The trust bundle and trust file that a ledger gives out, by its registry as it is published."""

from ledger import checkpoint_file, read, whole_file
from ledger.database import connect
from ledger.errors import TrustError, UserError
from ledger.folder import LedgerFolder
from ledger.keys import SigningKey
from ledger.registry import REGISTRY, Registry, Role, Status
from ledger.trust.bundle import TrustBundle
from ledger.trust.parts import Revoked
from ledger.trust.trust_file import Trust

DAY_S = 86_400
MANY = 10_000  # so many label keys, or recalls, may be why a bundle is over its size


def issue(folder: LedgerFolder, dsn: str, *, days: int, now: int) -> TrustBundle:
    """A bundle by the registry as it is published, that expires in so many days; raises UserError."""
    trust, key = folder.trust(), SigningKey.load(folder.key_file(Role.OPERATOR))
    published = checkpoint_file.load(folder.checkpoints, REGISTRY)
    if published is None:
        raise UserError(f"{folder.path} has no published registry", "make a ledger with 'tallystick ledger init'")
    size, root = published.checkpoint.size, published.checkpoint.root
    with connect(dsn) as connection:
        registry, messages = read.registry(connection, size), read.root_messages(connection, size)
    try:
        return TrustBundle.issue(
            trust.genesis,
            messages,
            key=key,
            revoked=[Revoked.of(key) for key in registry.keys.values() if key.status is Status.REVOKED],
            label_keys=list(registry.label_keys.values()),
            recalls=list(registry.recalls.values()),
            registry=(size, root),
            issued_at=now,
            expires_at=now + days * DAY_S,
        )
    except TrustError as error:
        raise UserError(f"the registry gives no trust bundle: {error}", _hint(registry)) from error


def _hint(registry: Registry) -> str:
    """What may be wrong with a registry that gives no bundle."""
    if len(registry.recalls) > max(MANY, len(registry.label_keys)):
        return "one recall of a lot, by 'tallystick labels recall', stands for those of all its items"
    if len(registry.label_keys) > MANY:
        return "a key for many lots, by 'tallystick labels key', makes it smaller from now on"
    return "run 'tallystick ledger audit'"


def refresh(folder: LedgerFolder, dsn: str) -> Trust:
    """Put what root keys have said by now into the trust file that the operator gives out; raises UserError."""
    trust = folder.trust()
    published = checkpoint_file.load(folder.checkpoints, REGISTRY)
    if published is None:
        return trust
    with connect(dsn) as connection:
        messages = read.root_messages(connection, published.checkpoint.size)
    try:
        followed = trust.following(messages) if len(messages) > 1 else trust
    except TrustError as error:
        raise UserError(
            f"{folder.trust_file} and the registry differ: {error}", "run 'tallystick ledger audit'"
        ) from error
    if followed != trust:
        whole_file.put(folder.trust_file, followed.text.encode())
    return followed
