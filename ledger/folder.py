"""The operator's ledger folder: trust file, secret keys, published checkpoints."""

from dataclasses import dataclass
from pathlib import Path

from ledger.author import Author
from ledger.errors import UserError
from ledger.keys import SigningKey
from ledger.registry import Role
from ledger.trust.trust_file import Trust


@dataclass(frozen=True, slots=True)
class LedgerFolder:
    """Where what cannot live in the database lies: `<data>/ledger`."""

    path: Path

    @property
    def trust_file(self) -> Path:
        """What the operator gives out."""
        return self.path / "trust.json"

    @property
    def checkpoints(self) -> Path:
        """One published checkpoint a chain."""
        return self.path / "checkpoints"

    @property
    def tokens_file(self) -> Path:
        """The tokens of those who may read more than the public, over HTTP."""
        return self.path / "tokens.json"

    @property
    def issuers_file(self) -> Path:
        """The tokens of those who may issue labels, over HTTP."""
        return self.path / "issuers.json"

    @property
    def lost_checkpoints(self) -> Path:
        """Checkpoints that were published and given up: evidence."""
        return self.path / "lost"

    @property
    def exists(self) -> bool:
        """Whether a ledger was made here."""
        return self.trust_file.exists()

    def trust(self) -> Trust:
        """The trust file; raises UserError with the way to make one."""
        if not self.exists:
            hint = "name its data folder with --data, or make one with 'tallystick ledger init'"
            raise UserError(f"there is no ledger in {self.path}", hint)
        return Trust.load(self.trust_file)

    def key_file(self, name: str) -> Path:
        """Where the secret key `name` lies."""
        return self.path / "keys" / f"{name}.key"

    def log_key_file(self, chain: str, number: int = 1) -> Path:
        """Where the secret half of the chain's key `number` lies: 1 is the genesis', each rotation adds one."""
        return self.key_file(f"log-{chain}" if number == 1 else f"log-{chain}.{number}")

    def log_key(self, chain: str, number: int = 1) -> SigningKey:
        """A key that signs the chain's checkpoints and receipts: which one when, `ledger.log_keys.keyring` knows."""
        return SigningKey.load(self.log_key_file(chain, number))

    def author(self, role: Role, *, issuer: str, subject: str) -> Author:
        """A service that signs statements of its own."""
        return Author(SigningKey.load(self.key_file(role)), issuer, subject)
