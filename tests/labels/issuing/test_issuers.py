"""What an issuer's token may: the file that says so, and what each reads and has issued over HTTP."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import tallystick
from labels.issuing.issuers import Issuer, read_issuers
from ledger.database import connect, migrate
from tests.labels.issuing.asking import ORDER, asking, book, said
from tests.labels.story import GTIN, LOT
from tests.world import World, ticking

TOKENS = {name: name * 4 for name in ("mine-", "other", "audit")}
OTHER_GTIN, PARTNER = "09501101530003", "https://partner.example.com"
PARTNERS = {"type": "organisation", "uri": PARTNER, "name": "Partner"}


@pytest.fixture
def world(postgres_dsn: str, tmp_path: Path) -> Iterator[World]:
    """A ledger whose gateway seals."""
    with World(postgres_dsn, tmp_path / "ledger") as made, ticking(made):
        yield made


@pytest.fixture
def client(world: World) -> Iterator[httpx.Client]:
    """Programs of three issuers': every request says by `by` whose it is."""
    world.folder.issuers_file.write_text(json.dumps({"default": "d" * 16}))
    with asking(world) as made:
        world.folder.issuers_file.write_text(json.dumps(TOKENS))
        yield made


def by(name: str) -> dict[str, str]:
    """The header that shows the token of this name."""
    return {"authorization": f"Bearer {TOKENS[name]}"}


def allow(world: World, **more: dict[str, Any]) -> None:
    """The operator edits the file: `more` is what he says of names beside their tokens."""
    held = {name: {"token": token, **more[name]} if name in more else token for name, token in TOKENS.items()}
    world.folder.issuers_file.write_text(json.dumps(held))


def test_an_issuer_reads_its_own_batches_alone(client: httpx.Client) -> None:
    """Another's is answered word for word as one that is not there, with a key or without."""
    for key in ({}, {"idempotency-key": "k"}):
        where = client.post("/lots", json=ORDER, headers=by("mine-") | key).headers["location"]
        for path in (where, f"{where}/labels"):
            assert client.get(path, headers=by("mine-")).status_code == 200
            refused = client.get(path, headers=by("other"))
            absent = client.get(path.replace(where, f"/lots/{'0' * 64}"), headers=by("other"))
            assert (refused.status_code, refused.content) == (absent.status_code, absent.content)
            assert refused.status_code == 404 and refused.json()["hint"]
    assert [len(client.get("/lots", headers=by(name)).json()["lots"]) for name in TOKENS] == [2, 0, 0]


def test_a_batch_of_the_command_is_read_by_whom_the_operator_lets(client: httpx.Client, world: World) -> None:
    """No token reads it; with "reads": "all" one reads this and every other, within its GTINs."""
    data = ["--data", str(world.folder.path.parent), "--dsn", world.dsn]
    assert tallystick.run(["labels", "issue", *data, "--gtin", GTIN, "--lot", LOT, "--count", "2"]) == 0
    [root] = (root.hex() for root in book(world).batches)
    assert [client.get(f"/lots/{root}", headers=by(name)).status_code for name in TOKENS] == [404] * 3
    allow(world, audit={"reads": "all"}, other={"reads": "all", "gtins": [OTHER_GTIN]})
    assert [len(client.get("/lots", headers=by(name)).json()["lots"]) for name in TOKENS] == [0, 0, 1]
    assert [client.get(f"/lots/{root}", headers=by(name)).status_code for name in TOKENS] == [404, 404, 200]
    allow(world, audit={"reads": "all", "organisation": PARTNER}, other={"reads": "own"})
    assert [client.get(f"/lots/{root}", headers=by(name)).status_code for name in TOKENS] == [404] * 3


def test_a_token_that_is_changed_keeps_its_names_batches(client: httpx.Client, world: World) -> None:
    """They are the name's: who shows its new token reads them, and the old one reads nothing."""
    where = client.post("/lots", json=ORDER, headers=by("mine-")).headers["location"]
    world.folder.issuers_file.write_text(json.dumps({"mine-": "n" * 32}))
    assert client.get(where, headers={"authorization": f"Bearer {'n' * 32}"}).status_code == 200
    assert client.get(where, headers=by("mine-")).status_code == 401


def test_a_token_of_some_gtins_gets_no_others(client: httpx.Client, world: World) -> None:
    """403 for one that its `gtins` neither name nor begin, and nothing of it is there."""
    allow(world, **{"mine-": {"gtins": [OTHER_GTIN, "0950600"]}, "other": {"gtins": [OTHER_GTIN]}})
    assert client.post("/lots", json=ORDER, headers=by("mine-")).status_code == 201
    refused = client.post("/lots", json=ORDER, headers=by("other"))
    assert refused.status_code == 403 and f"may not have labels of GTIN {GTIN}" in refused.json()["error"]
    assert len(book(world).batches) == 1


def test_a_token_of_an_organisation_issues_for_that_alone(client: httpx.Client, world: World) -> None:
    """Its labels are that one's, named or not; another's are refused; and what is asked twice is one batch still."""
    said(world, PARTNERS)
    key = by("mine-") | {"idempotency-key": "k"}
    before = client.post("/lots", json={**ORDER, "organisation": PARTNER}, headers=key).json()
    allow(world, **{"mine-": {"organisation": PARTNER}})
    assert client.post("/lots", json={**ORDER, "organisation": PARTNER}, headers=key).json() == before
    mine = client.post("/lots", json=ORDER, headers=by("mine-")).json()
    assert book(world).labels_of(bytes.fromhex(mine["key"])) == PARTNER
    refused = client.post("/lots", json={**ORDER, "organisation": "https://example.com"}, headers=by("mine-"))
    assert refused.status_code == 403 and f"labels of {PARTNER} issued alone" in refused.json()["error"]


def test_the_operator_lists_whose_a_batch_is(
    client: httpx.Client, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """`labels lots` says by whose token each was issued, and lists those of one name."""
    data = ["--data", str(world.folder.path.parent), "--dsn", world.dsn]
    root = client.post("/lots", json=ORDER, headers=by("mine-")).json()["root"]
    client.post("/lots", json=ORDER, headers=by("other"))
    assert tallystick.run(["labels", "lots", *data, "--issuer", "mine-", "--json"]) == 0
    [lot] = json.loads(capsys.readouterr().out)["lots"]
    assert (lot["issuer"], lot["root"]) == ("mine-", root)
    assert tallystick.run(["labels", "lots", *data]) == 0
    assert [line.rpartition("  by ")[2] for line in capsys.readouterr().out.splitlines()[1:]] == ["mine-", "other"]


def test_batches_of_before_are_theirs_as_far_as_their_requests_had_keys(world: World) -> None:
    """A ledger of the version before is migrated: what had a key goes to its issuer once, the rest to nobody."""
    as_before = "drop table label_issuer; delete from schema_version where version = 46"
    request = "insert into label_request values ('mine-', 'k', '', %s) on conflict do nothing"
    with connect(world.dsn, role=None) as connection:
        connection.execute(as_before)
        connection.execute(request, [b"r" * 32])
    for _ in range(2):
        migrate(world.dsn)
        with connect(world.dsn) as connection:
            found = connection.execute("select batch_root, issuer from label_issuer").fetchall()
            assert found == [(b"r" * 32, "mine-")]


@pytest.mark.parametrize(
    ("held", "complaint"),
    [
        ([], "does not hold tokens by name"),
        ({"": "t" * 16}, "a name has 1 to 64 characters"),
        ({"\ud800": "t" * 16}, "a name has"),
        ({"a": "t" * 15}, "at least 16 characters"),
        ({"a": "é" * 16}, "all of ASCII"),
        ({"a": {}}, "a token has"),
        ({"a": ["t" * 16]}, "a token has"),
        ({"a": "t" * 16, "b": {"token": "t" * 16}}, "two names have one token"),
        ({"a": {"token": "t" * 16, "gtin": []}}, "a has a field 'gtin', known are gtins"),
        ({"a": {"token": "t" * 16, "gtins": []}}, "the gtins of a are a list"),
        ({"a": {"token": "t" * 16, "gtins": GTIN}}, "the gtins of a are a list"),
        ({"a": {"token": "t" * 16, "gtins": [9506]}}, "the gtins of a are a list"),
        ({"a": {"token": "t" * 16, "gtins": ["095"]}}, "the gtins of a are a list"),
        ({"a": {"token": "t" * 16, "gtins": ["٠٩٥٠٦"]}}, "the gtins of a are a list"),
        ({"a": {"token": "t" * 16, "gtins": ["09506000134353"]}}, "wrong check digit"),
        ({"a": {"token": "t" * 16, "organisation": None}}, "no URI"),
        ({"a": {"token": "t" * 16, "organisation": "Acme"}}, "no URI"),
        ({"a": {"token": "t" * 16, "reads": ["all"]}}, "reads own or all"),
        ({"a": {"token": "t" * 16, "reads": "everything"}}, "reads own or all"),
    ],
)
def test_a_file_that_could_mean_something_else_is_none(held: Any, complaint: str) -> None:
    """Each is refused by what is wrong in it: a token never may more than was meant."""
    with pytest.raises(ValueError, match=complaint):
        read_issuers(json.dumps(held))


def test_a_name_that_comes_twice_is_refused() -> None:
    """The second would count, whoever edits the file sees the first."""
    with pytest.raises(ValueError, match="a name comes twice"):
        read_issuers('{"a": "tttttttttttttttt", "a": "uuuuuuuuuuuuuuuu"}')


def test_a_token_alone_may_as_much_as_it_always_did() -> None:
    """All GTINs, any organisation, and its own batches."""
    assert read_issuers(json.dumps({"a": "t" * 16})) == {b"t" * 16: Issuer("a")}
    whole = {"token": "t" * 16, "gtins": [GTIN, "0950"], "organisation": PARTNER, "reads": "all"}
    assert read_issuers(json.dumps({"a": whole})) == {b"t" * 16: Issuer("a", (GTIN, "0950"), PARTNER, True)}
