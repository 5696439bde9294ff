"""A chain at the gateway, over a real PostgreSQL: each thing that can go wrong, and what DESIGN says then."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from gateway import answers
from ledger import cbor, checkpoint_file, merkle, message, note, seal, stream
from ledger.author import Content, compose
from ledger.birth import Birth
from ledger.checkpoint import Checkpoint
from ledger.database import connect
from ledger.errors import UserError
from ledger.merkle import HASH_BYTES
from ledger.receipt import Answer, Range, Receipt
from ledger.refusal import Reason, Refusal
from ledger.registry import Role, Status
from ledger.seal import ChainLocked, ChainWriter, HistoryForked, NewEntry
from ledger.section import ContentFormat, Privacy
from ledger.statement import TELEMETRY, Statement, Tally
from ledger.tile import TILE_WIDTH, Tile
from tests.world import Device, World, event, opening, taken


@pytest.fixture
def world(postgres_dsn: str, tmp_path: Path) -> Iterator[World]:
    with World(postgres_dsn, tmp_path / "ledger") as made:
        yield made


@pytest.fixture
def press(world: World) -> Device:
    """A registered device."""
    return world.register_device("press-1")


def ask(world: World, query: str, *parameters: object) -> list[tuple[object, ...]]:
    with connect(world.dsn) as connection:
        return connection.execute(query.encode(), parameters).fetchall()


def counted(world: World) -> dict[str, int]:
    """What was refused, by reason."""
    return {str(reason): int(str(n)) for reason, n in ask(world, "select reason, n from quarantine_count")}


def check_answer(
    world: World, payload: bytes, statements: Sequence[Statement], *, chain: str = "production"
) -> Receipt:
    """Check an answer as a device would: receipt, checkpoint, and the range over `statements`, its newest last."""
    answer, log = Answer.decode(payload), world.trust.log(chain)
    assert answer.receipt and answer.checkpoint and answer.first_index is not None
    receipt = Receipt.decode(answer.receipt)
    leaves = [merkle.leaf_hash(statement.encode()) for statement in statements]
    root = receipt.verify(log.public_key, leaf=leaves[-1])
    checkpoint = Checkpoint.parse(note.open(answer.checkpoint, [log.verifier]).text)
    assert (checkpoint.size, checkpoint.root) == (receipt.size, root)
    assert receipt.statement_hash == statements[-1].hash
    run = leaves[len(leaves) - (receipt.index - answer.first_index + 1) :]
    merkle.verify_range(answer.hashes, leaves=run, first=answer.first_index, size=receipt.size, root=root)
    rest = leaves[: len(leaves) - len(run)]
    for earlier in reversed(answer.earlier):
        part, rest = rest[-earlier.count :], rest[: -earlier.count]
        merkle.verify_range(earlier.hashes, leaves=part, first=earlier.first_index, size=receipt.size, root=root)
    assert not rest
    return receipt


@pytest.mark.parametrize("cut", range(5))
def test_a_block_may_be_judged_in_parts(world: World, cut: int) -> None:
    """What is judged before the block closes is in it with the rest, in one order, under one receipt."""
    press = world.register_device("press-1")
    for value in range(3):
        world.publish(press, press.readings(float(value)))
    messages, chain = world._incoming.pop("production"), world.chain("production")
    for early in messages[:cut]:
        chain.judge([early])
    [reply] = chain.take(messages[cut:])
    receipt = Receipt.decode(Answer.decode(reply.payload).receipt or b"")
    assert (receipt.seq, receipt.size, receipt.covers) == (3, 4, (0, 3))
    assert chain.taken.accepted == 4 and chain.take([]) == []


def test_one_receipt_proves_all_of_a_block(world: World, press: Device) -> None:
    """A stream's statements lie side by side in a block, and one answer proves them all."""
    other = world.register_device("press-2")
    said = []
    for value in range(5):
        said.append(world.publish(press, press.readings(value)))
        world.publish(other, other.readings(value))
    mine, theirs = world.tick()
    first = Statement.decode(bytes(str_data(world, 0)))
    check_answer(world, mine.payload, [first, *said])
    assert mine.retain and theirs.retain
    assert mine.topic == "tallystick/v1/production/press-1/receipt/1"


def str_data(world: World, index: int) -> bytes:
    [[data]] = ask(world, "select data from entry where entry_id = %s", (1 << 40) | index)
    assert isinstance(data, bytes)
    return data


def test_readings_and_events_reach_the_tables(world: World, press: Device) -> None:
    """Each reading points to its entry, and each event is found by what it is about."""
    world.publish(press, press.readings(20.5, 21.5))
    world.publish(press, event("https://id.gs1.org/01/09506000134352/21/A1"))
    world.tick()
    rows = ask(world, "select value, entry_id & 1023, d.name, m.unit from reading join device d using (device_id)"
                      " join metric m using (metric_id) order by ts")  # fmt: skip
    assert [row[0] for row in rows] == [20.5, 21.5]
    assert {row[2:] for row in rows} == {("press-1", "Cel")}
    found = ask(world, "select biz_step from event join event_item using (entry_id, section) where uri like %s", "%/A1")
    assert found == [("commissioning",)]


def test_a_repeat_is_answered_and_not_entered_twice(world: World, press: Device) -> None:
    """Sending twice is harmless: the answer covers everything from the repeated statement on, over several blocks."""
    first = world.publish(press, press.readings(1))
    world.tick()
    opened = Statement.decode(str_data(world, 0))
    second = world.publish(press, press.readings(2))
    world.tick()
    size = ask(world, "select count(*) from entry")
    world.send("press-1", message.encode(opened.encode(), [None]))
    [reply] = world.tick()
    check_answer(world, reply.payload, [opened, first, second])
    assert ask(world, "select count(*) from entry") == size


def test_twice_in_one_batch_is_one_entry(world: World, press: Device) -> None:
    """A message that the broker doubles is a repeat even before its block is sealed."""
    world.publish(press, press.readings(1))
    for item in list(world._incoming["production"]):
        world._incoming["production"].append(item)
    [reply] = world.tick()
    assert Answer.decode(reply.payload).receipt
    assert ask(world, "select count(*) from stream where kid = %s", press.key.kid) == [(1,)]
    assert counted(world) == {}


def test_a_gap_waits_for_what_is_missing(world: World, press: Device) -> None:
    """A statement after a lost one is not admitted, not answered, and not held against the device."""
    world.publish(press, press.readings(1))
    world.tick()
    lost = world.publish(press, press.readings(2))
    [missing] = world._incoming.pop("production")
    later = world.publish(press, press.readings(3))
    assert world.tick() == []
    assert counted(world) == {"gap": 1}
    world._incoming["production"] = [missing]
    world.send("press-1", message.encode(later.encode(), [None]))
    [reply] = world.tick()
    check_answer(world, reply.payload, [lost, later])


def test_a_missing_section_is_named_and_taken_later(world: World, press: Device) -> None:
    """A receipt lists what did not arrive whole; sent again, it is kept and the next receipt does not list it."""
    world.publish(press)
    head = press.heads["production", TELEMETRY]
    tally = Tally(TELEMETRY, head.tally.stream, head.tally.seq + 1, head.hash, 2)
    statement, payload = world.sign(press, [press.readings(7)], tally=tally)
    world.send("press-1", message.encode(statement.encode(), [b"not what was signed for"]))
    [reply] = world.tick()
    assert Receipt.decode(Answer.decode(reply.payload).receipt or b"").lacking == ((2, 0),)
    assert ask(world, "select count(*) from reading") == [(0,)]
    world.send("press-1", payload)
    world.send("press-1", payload)
    [reply] = world.tick()
    assert Receipt.decode(Answer.decode(reply.payload).receipt or b"").lacking == ()
    assert ask(world, "select value from reading") == [(7.0,)]


def test_a_fork_is_kept_out_and_suspends_the_key(world: World, press: Device) -> None:
    """Two statements with one seq: the first stays, the second is evidence, the key is suspended until reinstated."""
    world.publish(press, press.readings(1))
    world.tick()
    head = press.heads["production", TELEMETRY]
    twin, payload = world.sign(press, [press.readings(666)], tally=head.tally)
    world.send("press-1", payload)
    [reply] = world.tick()
    assert opened_refusal(world, reply.payload).reason is Reason.FORK
    taken = world.chain("production").taken
    assert (taken.repeats, taken.refused) == (0, {"fork": 1}), "counted once"
    world.tick()
    registry = world.chain("production")._registry
    key = registry.key(press.key.kid)
    assert key is not None and key.status is Status.SUSPENDED
    [[reason]] = ask(world, "select reason from finding")
    assert "another statement with this seq" in str(reason)
    sections = [
        bytes(data)
        for (data,) in ask(world, "select data from section where content_format = 65002")
        if isinstance(data, bytes)
    ]
    assert any(twin.encode() in data for data in sections), "the evidence is kept"
    assert refusal_of_next(world, press).reason is Reason.SUSPENDED

    world.operator_says({"type": "reinstatement", "kid": press.key.kid, "reason": "inspected"})
    press.heads["production", TELEMETRY] = head
    world.publish(press, press.readings(2))
    assert len(world.tick()) == 1
    assert ask(world, "select count(*) from reading where value = 666") == [(0,)]


def opened_refusal(world: World, payload: bytes) -> Refusal:
    return Refusal.open(payload, world.trust.log("production").public_key)


def refusal_of_next(world: World, device: Device, *contents: Content) -> Refusal:
    """Publish one more statement, and read the refusal that it gets."""
    world.publish(device, *contents)
    [reply] = world.tick()
    assert "/refusal/" in reply.topic and not reply.retain
    return opened_refusal(world, reply.payload)


def test_a_revoked_key_is_refused_and_its_past_stays(world: World, press: Device) -> None:
    """After its revocation a key's statements are refused for good, with a signed answer."""
    world.publish(press, press.readings(1))
    world.tick()
    world.operator_says({"type": "revocation", "kid": press.key.kid, "reason": "stolen"})
    assert refusal_of_next(world, press).reason is Reason.REVOKED
    assert ask(world, "select count(*) from reading") == [(1,)]


def test_nobody_speaks_for_a_neighbour(world: World, press: Device) -> None:
    """A statement on another device's topic is refused, though its signature is good."""
    world.register_device("press-2")
    _, payload = world.sign(press, [opening()], tally=press.next_tally("production", TELEMETRY))
    world.send("press-2", payload)
    [reply] = world.tick()
    assert opened_refusal(world, reply.payload).reason is Reason.ENVELOPE


def test_another_chains_statement_is_refused(world: World) -> None:
    """A statement for logistics cannot be replayed into production."""
    truck = world.register_device("truck-1", chains=("production", "logistics"))
    _, payload = world.sign(truck, [opening()], tally=truck.next_tally("logistics", TELEMETRY), chain="logistics")
    world.send("truck-1", payload, chain="production")
    [reply] = world.tick()
    assert opened_refusal(world, reply.payload).reason is Reason.ENVELOPE


def test_a_device_may_not_write_the_registry(world: World, press: Device) -> None:
    """A registered device's statement on a chain that it is not registered for is refused."""
    body = Content(Privacy.PUBLIC, ContentFormat.REGISTRY, cbor.encode(press.registration | {"name": "mine"}))
    _, payload = world.sign(press, [body], tally=press.next_tally("registry", 0), chain="registry")
    world.send("press-1", payload, chain="registry")
    [reply] = world.tick()
    assert Refusal.open(reply.payload, world.trust.log("registry").public_key).reason is Reason.ROLE


def test_what_cannot_be_judged_is_counted_and_never_answered(world: World, press: Device) -> None:
    """Garbage, unknown keys and broken signatures get no answer, a count by reason, and stall nothing."""
    stranger = Device("press-9")
    _, unknown = world.sign(stranger, [opening()], tally=stranger.next_tally("production", TELEMETRY))
    forged, _ = world.sign(press, [opening()], tally=press.next_tally("production", TELEMETRY))
    spoiled = replace(forged, signature=bytes(64))
    for payload in (b"", b"\xff" * 100, b"\x81" * 5000, bytes(2_000_000), unknown,
                    message.encode(spoiled.encode(), [None])):  # fmt: skip
        world.send("press-1", payload)
    world.publish(press, press.readings(1))
    [reply] = world.tick()
    assert Answer.decode(reply.payload).receipt
    assert counted(world) == {"malformed": 3, "oversized": 1, "unknown-key": 1, "signature": 1}


def test_unreadable_content_is_a_finding_and_stalls_nothing(world: World, press: Device) -> None:
    """A statement is admitted whatever it contains; what cannot be read is found, and not projected."""
    world.publish(press, Content(Privacy.PRIVATE, ContentFormat.SENML_CBOR, b"\xff"), press.readings(1))
    world.publish(press, Content(Privacy.PUBLIC, ContentFormat.EPCIS, cbor.encode({"type": "Nonsense"})))
    assert len(world.tick()) == 2
    world.tick()
    assert ask(world, "select count(*) from reading") == [(1,)]
    [[total]] = ask(world, "select count(*) from finding")
    assert total == 1, "one entry a block"


def test_a_finding_does_not_quote_what_is_private(world: World, press: Device) -> None:
    """Findings are public: of a private section they say that it cannot be read, and no word of it."""
    secret = cbor.encode([{0: "temperature", 2: 1, "customer-acme_": 1}])
    for privacy in (Privacy.PRIVATE, Privacy.PARTNERS, Privacy.PUBLIC):
        world.publish(press, Content(privacy, ContentFormat.SENML_CBOR, secret))
        world.tick()
    world.tick()
    reasons = [str(reason) for (reason,) in ask(world, "select reason from finding order by entry_id")]
    assert ["acme" in reason for reason in reasons] == [False, False, True]


def test_nobody_answers_for_a_neighbours_content(world: World, press: Device) -> None:
    """Of a block in which the tables refuse one section, that one alone becomes a finding."""
    others = [world.register_device(f"press-{number}") for number in range(2, 6)]
    with connect(world.dsn, role=None) as connection:
        connection.execute("alter table reading add constraint tepid check (value < 100)")
    for device in (*others[:2], press, *others[2:]):
        world.publish(device, device.readings(666 if device is press else 1))
        world.publish(device, device.readings(2))
    world.tick()
    world.tick()
    assert ask(world, "select value, count(*) from reading group by 1 order by 1") == [(1.0, 4), (2.0, 5)]
    [[reason, about]] = ask(world, "select reason, about & 1023 from finding")
    assert reason == "not taken by the tables: CheckViolation"
    assert Statement.decode(str_data(world, int(str(about)))).kid == press.key.kid


def test_a_refused_message_is_kept_in_part(world: World) -> None:
    """However large a message the broker takes, quarantine keeps so much of it and no more."""
    world.send("press-1", bytes(3_000_000))
    world.tick()
    assert ask(world, "select reason, length(message) from quarantine") == [("oversized", 256 * 1024)]


@pytest.mark.parametrize("clock_s", [0, 99, 4_070_908_800])
def test_a_wrong_clock_is_a_claim_like_any_other(world: World, press: Device, clock_s: int) -> None:
    """A device whose clock stands in 1970 or 2099 is admitted; its times are kept as it says."""
    world.now_ms = clock_s * 1000
    world.publish(press, press.readings(1, time=float(clock_s)))
    assert len(world.tick()) == 1
    assert ask(world, "select count(*) from reading") == [(1,)]


def test_a_new_stream_closes_the_one_before(world: World, press: Device) -> None:
    """After an opening, the lane's earlier stream takes nothing more; its repeats are still answered."""
    world.publish(press, press.readings(1))
    world.tick()
    old = press.heads["production", TELEMETRY]
    world.reopen(press, "restored")
    [reply] = world.tick()
    assert reply.retain
    _, late = world.sign(press, [], tally=old.tally._replace(seq=old.tally.seq + 1, prev=old.hash))
    world.send("press-1", late)
    [refusal] = world.tick()
    assert opened_refusal(world, refusal.payload).reason is Reason.CLOSED_STREAM
    assert world.chain("production").taken.repeats == 0
    world.send("press-1", message.encode(old.encode(), [None]))
    [again] = world.tick()
    assert not again.retain, "the retained receipt stays the open stream's"
    assert world.chain("production").taken.repeats == 1
    check_answer(world, again.payload, [old])


def test_a_link_to_another_history_is_refused(world: World, press: Device) -> None:
    """The next seq with another prev is refused for good."""
    world.publish(press, press.readings(1))
    world.tick()
    head = press.heads["production", TELEMETRY]
    _, payload = world.sign(press, [], tally=head.tally._replace(seq=head.tally.seq + 1, prev=os.urandom(32)))
    world.send("press-1", payload)
    [reply] = world.tick()
    assert opened_refusal(world, reply.payload).reason is Reason.LINK


def test_a_birth_is_answered_lane_by_lane(world: World, press: Device) -> None:
    """Each lane gets the current receipt with the birth's nonce, or is told that it has no stream."""
    said = [world.publish(press, press.readings(value)) for value in range(3)]
    world.tick()
    nonce = os.urandom(16)
    heads = {TELEMETRY: (said[0].tally.stream, 2)}
    world.send("press-1", Birth(press.key.kid, nonce, heads).encode(), what="birth")
    events, telemetry = world.tick()
    assert Answer.decode(events.payload) == Answer(None, None, None, (), (), nonce)
    assert Answer.decode(telemetry.payload).nonce == nonce
    check_answer(world, telemetry.payload, said[1:])


def test_a_restored_device_learns_where_the_ledger_is(world: World, press: Device) -> None:
    """To a birth that knows an older stream, the gateway answers with the open one's head too."""
    old = world.publish(press, press.readings(1))
    world.reopen(press, "restored")
    world.tick()
    world.send(
        "press-1", Birth(press.key.kid, os.urandom(16), {TELEMETRY: (old.tally.stream, 2)}).encode(), what="birth"
    )
    _, *telemetry = world.tick()
    receipts = [Receipt.decode(Answer.decode(reply.payload).receipt or b"") for reply in telemetry]
    assert {receipt.stream for receipt in receipts} == {
        old.tally.stream,
        press.heads["production", TELEMETRY].tally.stream,
    }


@pytest.mark.parametrize("seq", [2, 2**62, 2**63 - 1001, 2**63 - 1000, 2**63 - 1])
def test_a_birth_may_ask_from_any_seq(world: World, press: Device, seq: int) -> None:
    """Nobody signs a birth, so its numbers may be any: one beyond the stream is answered with its newest."""
    newest = [world.publish(press, press.readings(value)) for value in range(3)][-1]
    world.tick()
    birth = Birth(press.key.kid, os.urandom(16), {TELEMETRY: (newest.tally.stream, seq)})
    world.send("press-1", birth.encode(), what="birth")
    _, telemetry = world.tick()
    receipt = Receipt.decode(Answer.decode(telemetry.payload).receipt or b"")
    assert (receipt.seq, receipt.statement_hash) == (3, newest.hash)


def test_of_many_births_the_newest_is_answered(world: World, press: Device) -> None:
    """A device that announces itself over and over in one batch is answered once: each answer costs many proofs."""
    nonces = [os.urandom(16) for _ in range(50)]
    for nonce in nonces:
        world.send("press-1", Birth(press.key.kid, nonce, {}).encode(), what="birth")
    replies = [Answer.decode(reply.payload) for reply in world.tick()]
    assert [reply.nonce for reply in replies] == [nonces[-1]] * 2


def test_an_answer_that_would_be_too_large_is_cut(world: World, press: Device) -> None:
    """Of statements scattered over very many blocks an answer proves the first ones, the device asks for the rest."""
    other = world.register_device("press-2")
    said = []
    for value in range(answers.RANGES_MAX + 30):
        said.append(world.publish(press, press.readings(value)))
        world.publish(other, other.readings(value))
        world.chain("production").take(world._incoming.pop("production"))
    birth = Birth(press.key.kid, os.urandom(16), {TELEMETRY: (said[0].tally.stream, 1)})
    world.send("press-1", birth.encode(), what="birth")
    _, telemetry = world.tick()
    answer = Answer.decode(telemetry.payload)
    assert len(answer.earlier) == answers.RANGES_MAX
    receipt = check_answer(world, telemetry.payload, [*said[: answers.RANGES_MAX], said[-1]])
    assert receipt.covers == (1, answers.RANGES_MAX)


def test_an_answer_fits_a_message() -> None:
    """The most ranges that an answer has, in the largest tree that there may be, are less than a message."""
    hashes = tuple(os.urandom(32) for _ in range(40))  # 2^40 entries a chain: entry_id has no room for more
    ranges = tuple(Range(2**40, 2**40, 1, hashes) for _ in range(answers.RANGES_MAX))
    answer = Answer(bytes(4_000), "checkpoint", 2**40, hashes * 2, ranges, bytes(16))
    assert len(answer.encode()) < message.MESSAGE_BYTES_MAX * 3 // 4


def test_a_gateway_that_dies_goes_on_where_the_ledger_is(world: World, press: Device) -> None:
    """All state is in the database: after each restart streams, tree and receipts go on."""
    said = []
    for value in range(300):
        said.append(world.publish(press, press.readings(value)))
        if value % 60 == 0:
            world.tick()
            world.close()
    world.tick()
    world.close()
    world.send("press-1", message.encode(said[0].encode(), [None]))
    [reply] = world.tick()
    check_answer(world, reply.payload, said)


def test_an_inbox_statement_is_sealed_once(world: World, press: Device) -> None:
    """What a service posts is sealed with its next block, and leaves the inbox in the same transaction."""
    world.post(Role.OPERATOR, {"type": "organisation", "uri": "https://carrier.example.com", "name": "Carrier"})
    world.tick()
    world.tick()
    assert ask(world, "select count(*) from inbox") == [(0,)]
    assert "https://carrier.example.com" in world.chain("registry")._registry.organisations


def test_a_service_may_not_say_what_is_not_its_own(world: World) -> None:
    """A registry entry from the wrong signer is in the log, has no effect, and is a finding."""
    stranger = Device("intruder")
    world.post(Role.LABELS, stranger.registration)
    world.tick()
    world.tick()
    assert world.chain("production")._registry.key(stranger.key.kid) is None
    [[reason]] = ask(world, "select reason from finding")
    assert "not for labels" in str(reason)


def test_a_registry_entry_says_nothing_later(world: World) -> None:
    """A section that did not come with its registry entry is not taken later: the past would change."""
    operator = world.author(Role.OPERATOR)
    stranger = Device("late-1")
    body = Content(Privacy.PUBLIC, ContentFormat.REGISTRY, cbor.encode(stranger.registration))
    tally = Tally(0, os.urandom(8), 0, bytes(32), 0)
    origin = world.trust.log("registry").origin
    statement, payload = compose(operator, origin=origin, tally=tally, contents=[body], now=0)
    world.send("operator", message.encode(statement.encode(), [None]), chain="registry")
    world.tick()
    world.send("operator", payload, chain="registry")
    world.tick()
    assert ask(world, "select count(*) from entry where statement_hash = %s", statement.hash) == [(1,)]
    assert world.chain("production")._registry.key(stranger.key.kid) is None
    world.close()
    assert world.chain("production")._registry.key(stranger.key.kid) is None


def test_every_block_is_anchored_once_registry_first(world: World, press: Device) -> None:
    """The anchor holds every header of every chain, in order, and none twice."""
    for value in range(3):
        world.publish(press, press.readings(value))
        world.tick(anchored=value == 2)
    world.tick()
    rows = ask(world, "select b.chain_id, b.height from block b left join anchored using (chain_id, height)"
                      " where anchor_index is null and b.chain_id <> 5")  # fmt: skip
    assert rows == []
    order = ask(world, "select chain_id, height from anchored order by anchor_index")
    assert len(set(order)) == len(order)


def test_a_chain_has_one_writer(world: World) -> None:
    """A second writer of a chain is told so, and gets it when the first is gone."""
    world.chain("trade")
    args = {"chain": "trade", "key": world.folder.log_key("trade"), "checkpoints": world.folder.checkpoints}
    with pytest.raises(ChainLocked, match="another process writes the chain 'trade'"):
        ChainWriter(world.dsn, **args)  # type: ignore[arg-type]
    world.close()
    taken(lambda: ChainWriter(world.dsn, **args)).close()  # type: ignore[arg-type]


def test_what_proofs_read_is_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the full tiles, those that were read last: one that every proof reads is not fetched again and again."""
    writer, fetched = world.chain("production")._writer, list[int]()
    monkeypatch.setattr(seal, "TREES_KEPT", 2)
    writer.seal([NewEntry(n.to_bytes(2)) for n in range(4 * TILE_WIDTH)], now_ms=0, registry=(0, b""))

    def fetch(connection: object, chain_id: int, tiles: Sequence[Tile]) -> list[bytes]:
        fetched.extend(tile.index for tile in tiles)
        return [bytes(HASH_BYTES * TILE_WIDTH) for _ in tiles]

    monkeypatch.setattr(seal, "fetch_tiles", fetch)
    for index in (0, 1, 0, 2, 0, 3, 0, 1):
        writer.read_nodes([merkle.Node(0, index * TILE_WIDTH)])
    assert fetched == [0, 1, 2, 3, 1]


def test_a_block_is_on_disk_before_it_is_receipted(world: World) -> None:
    """A server that does not wait for its disk by default does so for a chain's writer."""
    world.close()
    with connect(world.dsn, role=None, autocommit=True) as connection:
        [[name]] = connection.execute("select current_database()").fetchall()
        connection.execute(f"alter database {name} set synchronous_commit = off".encode())
    connection = world.chain("production")._connection
    assert connection.execute("show synchronous_commit").fetchone() == ("on",)


def test_a_lost_registry_checkpoint_is_the_users_to_mend(world: World) -> None:
    """Without the registry's published checkpoint, or with a damaged one, a chain says so and is not written."""
    path = world.folder.checkpoints / "registry"
    for damage in (lambda: path.write_text("no checkpoint"), path.unlink):
        world.close()
        damage()
        with pytest.raises(UserError, match=r"published checkpoint of 'registry' is damaged|no published registry"):
            world.chain("production")


def test_nothing_is_published_before_it_is_committed(
    world: World, press: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When a checkpoint file is written, every other session sees the block that it is of, on every chain."""
    write, published = checkpoint_file.write, list[tuple[object, ...]]()

    def look(folder: Path, chain: str, text: str) -> None:
        size = Checkpoint.parse(note.open(text, [world.trust.log(chain).verifier]).text).size
        query = "select name, size from block join chain using (chain_id) where name = %s order by size desc limit 1"
        assert ask(world, query, chain) == [(chain, size)]
        published.append((chain, size))
        write(folder, chain, text)

    monkeypatch.setattr(checkpoint_file, "write", look)
    world.register_device("press-2")
    for value in range(3):
        world.publish(press, press.readings(value))
        world.tick()
    assert {chain for chain, _ in published} == {"production", "registry", "anchor"}


def test_a_gateway_killed_while_it_publishes_goes_on(
    world: World, press: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dying just before the checkpoint file is written, or just after, leaves a chain that can be taken up again."""
    write = checkpoint_file.write
    for step, dies_after in enumerate((False, True), 1):

        def die(folder: Path, chain: str, text: str, dies_after: bool = dies_after) -> None:
            if dies_after:
                write(folder, chain, text)
            world.close()
            raise KeyboardInterrupt

        statement = world.publish(press, press.readings(step))
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(checkpoint_file, "write", die)
            world.tick()
        world.send("press-1", message.encode(statement.encode(), [None]))
        [reply] = world.tick()
        assert Receipt.decode(Answer.decode(reply.payload).receipt or b"").statement_hash == statement.hash


def test_a_database_that_is_ahead_of_the_file_is_published(world: World, press: Device) -> None:
    """A crash between COMMIT and the checkpoint file is mended at the next start."""
    world.publish(press, press.readings(1))
    world.tick()
    before = checkpoint_file.read(world.folder.checkpoints, "production")
    world.publish(press, press.readings(2))
    world.tick()
    after = checkpoint_file.read(world.folder.checkpoints, "production")
    world.close()
    assert before is not None and before != after
    (world.folder.checkpoints / "production").write_text(before)
    world.tick()
    assert checkpoint_file.read(world.folder.checkpoints, "production") == after


def test_a_restored_backup_is_refused(world: World, press: Device, fresh_database: Callable[[], str]) -> None:
    """A database behind the published checkpoint, or beside it, would fork history: the writer does not start."""
    world.publish(press, press.readings(1))
    world.tick()
    world.close()
    with connect(world.dsn, role=None) as connection:
        connection.execute("delete from block where chain_id = 1")
        connection.execute("delete from entry where entry_id >> 40 = 1")
    with pytest.raises(HistoryForked, match="2 entries were published, the database has 0"):
        world.chain("production")


def test_another_root_at_the_published_size_is_refused(world: World, press: Device) -> None:
    """A history that was rewritten at its published size is not written on."""
    world.publish(press, press.readings(1))
    world.tick()
    world.close()
    with connect(world.dsn, role=None) as connection:
        connection.execute("update entry set leaf_hash = sha256('other') where entry_id >> 40 = 1")
    with pytest.raises(HistoryForked, match="do not give the root of its last block"):
        world.chain("production")


def test_services_cannot_change_what_they_wrote(world: World, press: Device) -> None:
    """The ledger's tables are insert-only for the role that the services act as."""
    world.publish(press, press.readings(1))
    world.tick()
    for table in ("entry", "section", "block", "tile", "anchored", "stream", "reading", "event"):
        with connect(world.dsn) as connection, pytest.raises(Exception, match="permission denied"):
            connection.execute(f"delete from {table}".encode())


def test_evicted_lines_are_told_by_the_stream_itself(world: World, press: Device) -> None:
    """A stream section is content like any other: admitted, kept, and readable."""
    head = world.publish(press, press.readings(1))
    body = stream.evicted([(head.tally.stream, 1, 0)])
    world.publish(press, Content(Privacy.PUBLIC, ContentFormat.STREAM, body))
    world.tick()
    assert counted(world) == {}
    assert ask(world, "select count(*) from finding") == [(0,)]
