"""Redeeming over HTTP and by the command, against a real database: once, whoever asks, and whatever dies."""

import http.client
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

import tallystick
from deploy.postgres import Postgres
from labels.hidden import asked, code, keys, stored
from labels.hidden.answer import Answer, Result
from labels.hidden.redeem import REPEATED_S, Redeemer
from labels.hidden.tries import WRONG_MAX
from labels.service import Service
from ledger.database import connect
from ledger.keys import SigningKey
from tests.labels.hidden.lot import HIDDEN_LOT, HiddenLot, hidden_lot
from tests.labels.serving import served
from tests.labels.story import GTIN, issue_lot, while_ticking

WRONG = "2" * 16


@pytest.fixture(scope="module")
def lot(postgres_server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HiddenLot]:
    """A lot with hidden codes; each test redeems others of them."""
    with hidden_lot(postgres_server, "hidden_lot", tmp_path_factory.mktemp("hidden")) as made:
        yield made


@pytest.fixture(scope="module")
def client(lot: HiddenLot) -> Iterator[httpx.Client]:
    """Requests to a label service."""
    with (
        served(lot.world.folder.path.parent, lot.world.dsn) as address,
        httpx.Client(base_url=address, timeout=30) as made,
    ):
        yield made


def ask(client: httpx.Client, label: str, text: str, nonce: bytes | None = None) -> httpx.Response:
    """A code asked for by JSON."""
    said = {"label": label, "code": text, "nonce": (nonce or asked.new_nonce()).hex()}
    return client.post("/redeem", json=said)


def form(client: httpx.Client, label: str, text: str, nonce: bytes | None = None) -> httpx.Response:
    """The same by a form."""
    said = {"label": label, "code": text, "nonce": (nonce or asked.new_nonce()).hex()}
    return client.post("/redeem", data=said)


def test_a_batch_commits_to_its_codes_and_the_database_has_none(lot: HiddenLot) -> None:
    """The registry has the root; each commitment is proven under it; no code, and no key of codes, is in any table."""
    assert lot.batch.hidden is not None and Path(f"{lot.world.folder.path}/keys").is_dir()
    assert lot.story.issued.batch.batch.hidden is None
    with connect(lot.world.dsn) as connection:
        for number, label in enumerate(lot.labels):
            found = stored.find(connection, label.path)
            assert found is not None and found.index == number
            assert code.commitment(found.secret, label.path, lot.code(number)) == found.commitment
            assert len(stored.prove(connection, found, lot.batch.size)) in (3, 4)
        tables = connection.execute("select tablename from pg_tables where schemaname = 'tallystick'").fetchall()
        for (table,) in tables:
            dumped = str(connection.execute(f'select * from "{table}"'.encode()).fetchall())
            assert not any(lot.code(number) in dumped for number in range(lot.batch.size)), table


def test_a_code_counts_once(lot: HiddenLot, client: httpx.Client) -> None:
    """The first time it says so; then when that was; who asks again with the first nonce gets the first answer."""
    label, text, nonce = lot.labels[0].path, lot.code(0), asked.new_nonce()
    first = ask(client, label, text, nonce).json()
    again = ask(client, label, text).json()
    assert (first["result"], again["result"]) == ("first", "again")
    assert first["redeemed_ms"] == again["redeemed_ms"] <= first["answered_ms"]
    repeated = ask(client, label, text, nonce).json()
    assert repeated["result"] == "first" and repeated["redeemed_ms"] == first["redeemed_ms"]


def test_to_ask_for_a_page_redeems_nothing(lot: HiddenLot, client: httpx.Client) -> None:
    """Neither the label's page nor that behind the scratch field's code; GET on /redeem is no page at all."""
    label, text = lot.labels[1].path, lot.code(1)
    for address in (lot.signed(1), f"{label}#h={text}", f"{label}?h={text}", f"{label}?code={text}"):
        assert 'action="/redeem"' in client.get(address).text
    assert client.get("/redeem", params={"label": label, "code": text, "nonce": "00" * 16}).status_code == 404
    assert ask(client, label, text).json()["result"] == "first"


def test_whoever_asks_the_form_is_told_in_words(lot: HiddenLot, client: httpx.Client) -> None:
    """First time; already redeemed, and when; not this label's."""
    label, text = lot.labels[2].path, lot.code(2)
    wrong = form(client, label, WRONG)
    assert "Not the code of this label" in wrong.text and 'action="/redeem"' in wrong.text
    assert "First time" in form(client, label, " ".join(code.groups(text)).lower()).text
    again = form(client, label, text)
    assert "Already redeemed" in again.text and "(UTC)" in again.text and "this may be a copy" in again.text
    for answer in (wrong, again):
        assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store"
        assert "script" not in answer.headers["content-security-policy"] and "<script" not in answer.text


def test_unknown_labels_and_wrong_codes_are_one(lot: HiddenLot, client: httpx.Client) -> None:
    """A label that was never issued, one without hidden codes, another label's code, a made-up one: one answer."""
    never, without = f"/01/{GTIN}/21/7K3M9QX2AB", lot.story.labels[0].path
    questions = [(never, WRONG), (without, WRONG), (lot.labels[3].path, WRONG), (lot.labels[3].path, lot.code(4))]
    answers = [ask(client, label, text).json() for label, text in questions]
    for answer in answers:
        fields = ("result", "redeemed_ms", "commitment")
        assert [answer[name] for name in fields] == ["wrong", None, None]
    pages = [form(client, label, text, bytes(16)).text for label, text in questions]
    told = {
        page.replace(label, "").replace(" ".join(code.groups(text)), "")
        for page, (label, text) in zip(pages, questions, strict=True)
    }
    assert len(told) == 1


def test_after_too_many_wrong_ones_nothing_is_said_for_a_while(lot: HiddenLot, client: httpx.Client) -> None:
    """Not even to the right one; of an unknown label neither; and other labels are none the worse."""
    for label in (lot.labels[5].path, f"/01/{GTIN}/21/ZZZZZZZZZZ"):
        told = [ask(client, label, WRONG) for _ in range(WRONG_MAX + 1)]
        assert [answer.json()["result"] for answer in told] == ["wrong"] * WRONG_MAX + ["later"]
        assert told[-1].status_code == 429 and 0 < int(told[-1].headers["retry-after"]) <= 600
    later = form(client, lot.labels[5].path, lot.code(5))
    assert later.status_code == 429 and "Too many wrong codes" in later.text
    assert ask(client, lot.labels[6].path, lot.code(6)).json()["result"] == "first"


def test_two_at_once_are_not_both_the_first(lot: HiddenLot) -> None:
    """Of many that redeem one code at the same time, by services of their own, one is the first."""

    def redeem(_: int) -> Answer:
        question = asked.read(lot.labels[7].path, lot.code(7), asked.new_nonce())
        return Redeemer(lot.world.folder, lot.world.dsn, lot.keeper()).redeem(question)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(redeem, range(16)))
    assert sorted(answer.result for answer in answers) == [Result.AGAIN] * 15 + [Result.FIRST]
    assert len({answer.redeemed_ms for answer in answers}) == 1


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_service_that_dies_leaves_a_code_redeemed_or_not(lot: HiddenLot, moment: str) -> None:
    """Killed before or after the commit: who asks again with the same nonce is told that it is the first time."""
    number = {"before": 8, "after": 9}[moment]
    nonce = asked.new_nonce().hex()
    script = f"""
import os, signal
from pathlib import Path
from labels.hidden import asked, stored
from labels.hidden.redeem import Redeemer
from labels.keeper import BookKeeper
from ledger.folder import LedgerFolder
redeem = stored.redeem
def dying(connection, code, **more):
    if {moment == "after"}:
        redeem(connection, code, **more)
    else:
        connection.execute("insert into redemption (batch_root, index, at, nonce) values (%s, %s, %s, %s)",
                           [code.batch_root, code.index, more["at"], more["nonce"]])
    os.kill(os.getpid(), signal.SIGKILL)
stored.redeem = dying
folder = LedgerFolder(Path({str(lot.world.folder.path)!r}))
question = asked.read({lot.labels[number].path!r}, {lot.code(number)!r}, bytes.fromhex({nonce!r}))
Redeemer(folder, {lot.world.dsn!r}, BookKeeper(folder)).redeem(question)
"""
    died = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True)
    assert died.returncode == -signal.SIGKILL, died.stderr
    with connect(lot.world.dsn) as connection:
        [(count,)] = connection.execute("select count(*) from redemption where index = %s", [number])
    assert count == (1 if moment == "after" else 0)
    question = asked.read(lot.labels[number].path, lot.code(number), bytes.fromhex(nonce))
    assert Redeemer(lot.world.folder, lot.world.dsn, lot.keeper()).redeem(question).result is Result.FIRST


def test_the_first_nonce_is_worth_nothing_later(lot: HiddenLot) -> None:
    """Who redeemed a code cannot have others told, by his nonce, that they are the first."""
    question = asked.read(lot.labels[4].path, lot.code(4), asked.new_nonce())

    def redeemed(later_s: float) -> Answer:
        moment = time.time() + later_s
        return Redeemer(lot.world.folder, lot.world.dsn, lot.keeper(), now=lambda: moment).redeem(question)

    answers = [redeemed(later_s) for later_s in (0, REPEATED_S - 60, REPEATED_S + 60)]
    assert [answer.result for answer in answers] == [Result.FIRST, Result.FIRST, Result.AGAIN]
    assert len({answer.redeemed_ms for answer in answers}) == 1


def test_no_service_can_take_a_redemption_back(lot: HiddenLot) -> None:
    """Rows of what was committed to and of what was redeemed are added by the services' role, and nothing else."""
    for table in ("hidden_batch", "hidden_code", "redemption"):
        for statement in (f"delete from {table}", f"update {table} set batch_root = batch_root", f"truncate {table}"):
            with connect(lot.world.dsn) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("set role tallystick_writer")
                connection.execute(statement.encode())


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", "application/json", 400),
        (b"[" * 4000, "application/json", 400),
        (b"{}", "application/json", 400),
        (b"label=1", "application/x-www-form-urlencoded", 400),
        (b"\xff\xfe", "application/x-www-form-urlencoded", 400),
    ],
)
def test_hostile_bodies_get_a_plain_word(client: httpx.Client, body: bytes, kind: str, status: int) -> None:
    """Too long, cut short, nested, of other bytes: refused, and the service goes on."""
    answer = client.post("/redeem", content=body, headers={"content-type": kind})
    assert answer.status_code == status
    assert client.get("/healthz").status_code == 200


def test_a_body_over_its_size_is_not_waited_for_long(client: httpx.Client) -> None:
    """Its length alone is refused: if nothing of it comes, the answer does, after some seconds."""
    asking = http.client.HTTPConnection(client.base_url.host, client.base_url.port, timeout=20)
    asking.putrequest("POST", "/redeem")
    asking.putheader("content-length", "4097")
    asking.endheaders()
    assert asking.getresponse().status == 413
    asking.close()


def test_the_form_stands_where_there_is_something_to_redeem(lot: HiddenLot, client: httpx.Client) -> None:
    """On a genuine label's page of such a batch; unsigned on every serial of the product alike; nowhere else."""
    genuine = client.get(lot.signed(0))
    unsigned, unknown = client.get(lot.labels[0].path), client.get(f"/01/{GTIN}/21/NEVER23456")
    for page in (genuine, unsigned, unknown):
        assert 'action="/redeem"' in page.text and "script-src 'sha256-" in page.headers["content-security-policy"]
    other = lot.story.labels[0]
    for address in (f"{other.path}?s={other.digits}", f"/01/{GTIN}", f"/01/{GTIN}/10/{HIDDEN_LOT}", lot.signed(0)[:-1]):
        page = client.get(address)
        assert "/redeem" not in page.text and "script" not in page.headers["content-security-policy"]


# The command


def run(*args: str) -> int:
    """The exit code of `tallystick labels redeem ARGS`."""
    return tallystick.run(["labels", "redeem", *args])


def remote(client: httpx.Client, lot: HiddenLot) -> list[str]:
    """How a service is asked from elsewhere."""
    return ["--url", str(client.base_url), "--trust", str(lot.world.folder.trust_file)]


def test_the_command_verifies_what_a_service_says(
    lot: HiddenLot, client: httpx.Client, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the trust file alone: the first time, again, and a wrong one; the code alone, or in its link."""
    link = code.link("id.example.com", lot.labels[10].path, lot.code(10))
    assert run(link, *remote(client, lot)) == 0
    assert capsys.readouterr().out.startswith("first time: redeemed on ")
    assert run(lot.labels[10].path, lot.code(10), *remote(client, lot), "--json") == 2
    assert json.loads(capsys.readouterr().out)["result"] == "again"
    assert run(lot.labels[10].path, WRONG, *remote(client, lot)) == 2
    assert "not this label's code" in capsys.readouterr().out


def test_the_command_redeems_on_this_machine(lot: HiddenLot, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a service: by the ledger's own folder and database; also by a link with the end of its line."""
    here = ["--data", str(lot.world.folder.path.parent), "--dsn", lot.world.dsn]
    assert run(lot.labels[11].path, lot.code(11), *here) == 0
    assert run(f" {lot.labels[11].path}\r\n", lot.code(11), *here) == 2
    assert "already redeemed on" in capsys.readouterr().out


@pytest.mark.parametrize("lie", ["result", "signature", "commitment", "genesis", "none"])
def test_a_service_that_lies_is_found_out(
    lot: HiddenLot, client: httpx.Client, lie: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another result than was signed, another signer, a code that was never committed to, another ledger's genesis."""
    true = Service.post

    def lying(*args: Any, **more: Any) -> tuple[int, bytes]:
        status, body = true(*args, **more)
        if lie == "none":
            return status, body
        fields = json.loads(body)
        answer = Answer.read(fields)
        if lie == "result":
            fields["result"] = "first" if fields["result"] == "again" else "again"
        elif lie == "genesis":
            fields["genesis"] = fields["genesis"][:-8] + "AAAAAAAA"
        elif lie == "signature":
            fields |= replace(answer, signature=SigningKey.generate().sign(b"anything")).document
        else:
            fields["commitment"]["secret"] = "00" * 16
        return status, json.dumps(fields).encode()

    monkeypatch.setattr(Service, "post", lying)
    assert run(lot.labels[0].path, lot.code(0), *remote(client, lot)) == (2 if lie == "none" else 1)
    assert ("does not hold under the trust file" in capsys.readouterr().err) == (lie != "none")


def test_what_is_no_question_is_said_so(lot: HiddenLot, capsys: pytest.CaptureFixture[str]) -> None:
    """No code, no trust file, a trust file for nothing, a nonce that is none, a service that is not there."""
    label, text, trust = lot.labels[0].path, lot.code(0), str(lot.world.folder.trust_file)
    for args, told in (
        ([label], "no code is given"),
        ([label, "ABC"], "16 characters"),
        ([label, text, "--trust", trust], "--trust is for the answers of a service"),
        ([label, text, "--url", "http://127.0.0.1:1"], "anybody's word"),
        ([label, text, "--nonce", "00"], "a nonce is 16 to 64 bytes"),
        ([label, text, "--url", "http://127.0.0.1:1", "--trust", trust], "http://127.0.0.1:1 cannot be asked"),
    ):
        assert run(*args) == 1
        assert told in capsys.readouterr().err


def test_a_lost_answer_is_had_by_asking_again(
    lot: HiddenLot, client: httpx.Client, capsys: pytest.CaptureFixture[str]
) -> None:
    """The hint says by which nonce; the code was redeemed, and who asks so is the first."""
    issued = issue_lot(lot.world, 1, lot="H3", hidden=True)
    [key] = keys.of_batches(lot.world.folder, [issued.batch.batch]).values()
    args = [issued.labels[0].path, code.make(key, issued.labels[0].path).code]
    trust = ["--trust", str(lot.world.folder.trust_file)]
    assert run(*args, "--url", "http://127.0.0.1:1", *trust) == 1
    nonce = capsys.readouterr().err.partition("--nonce ")[2].split()[0]
    for _ in range(2):
        assert run(*args, "--nonce", nonce, *remote(client, lot)) == 0
    assert run(*args, *remote(client, lot)) == 2


# Printing


def test_the_commands_issue_and_list_hidden_codes(lot: HiddenLot, capsys: pytest.CaptureFixture[str]) -> None:
    """`labels issue --hidden` prints links without codes; `labels lots` says that the batch has some."""
    here = ["--data", str(lot.world.folder.path.parent), "--dsn", lot.world.dsn]
    issue = ["labels", "issue", *here, "--gtin", GTIN, "--lot", "H4", "--count", "2", "--hidden"]
    assert while_ticking(lot.world, lambda: tallystick.run(issue)) == 0
    assert "#" not in capsys.readouterr().out
    assert tallystick.run(["labels", "lots", *here]) == 0
    [line] = [line for line in capsys.readouterr().out.splitlines() if "  H4 " in line]
    assert line.endswith("hidden codes")


def test_a_lot_is_printed_with_its_hidden_codes(
    lot: HiddenLot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two codes a label on the sheet, read back; not as pictures for a screen; and not without the key."""
    import pypdfium2

    issue_lot(lot.world, 3, lot="H2", hidden=True)
    here = ["--data", str(lot.world.folder.path.parent), "--dsn", lot.world.dsn, "--gtin", GTIN, "--lot", "H2"]
    args = ["labels", "print", *here, "-o", str(tmp_path)]
    assert tallystick.run(args) == 1 and "no scratch field" in capsys.readouterr().err
    [moved] = [file for file in (lot.world.folder.path / "keys").glob("hidden-*") if "lot H2 " in file.read_text()]
    assert moved.stat().st_mode & 0o077 == 0
    moved.rename(tmp_path / "moved")
    assert tallystick.run([*args, "--labels", "L7163"]) == 1 and "bring it back" in capsys.readouterr().err
    (tmp_path / "moved").rename(moved)
    assert tallystick.run([*args, "--labels", "L7163"]) == 0
    with pypdfium2.PdfDocument(next(tmp_path.glob("*.pdf"))) as document:
        text = document[0].get_textpage().get_text_range()
    with connect(lot.world.dsn) as connection:
        paths = [
            path for (path,) in connection.execute("select path from label join hidden_code using (batch_root, index)")
        ]
    key = keys.read(moved.read_text())
    shown = [code.groups(code.make(key, path).code) for path in paths]
    assert (
        sum(f"{first} {second}" in text and f"{third} {fourth}" in text for first, second, third, fourth in shown) == 3
    )
