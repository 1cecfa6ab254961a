import time

import pytest

from common.errors import ContentionError, InvalidInputError, PreconditionError
from services.history.idempotency import IdempotencyRecords
from services.history.paths import JSON, claim_key
from services.history.records.log import RecordLog
from services.history.storage.base import ObjectStore
from services.history.uploads import Cutout, Uploads


@pytest.fixture
def ledger(store: ObjectStore) -> RecordLog:
    return RecordLog(store, attempts=5)


@pytest.fixture
def uploads(store: ObjectStore, ledger: RecordLog) -> Uploads:
    return Uploads(store, ledger, stale_after_seconds=3600)


@pytest.fixture
def claims(store: ObjectStore, ledger: RecordLog, uploads: Uploads) -> IdempotencyRecords:
    return IdempotencyRecords(store, ledger, uploads, lease_seconds=600, renewed_lease_seconds=1)


def test_a_request_that_is_worked_on_is_not_begun_again(claims: IdempotencyRecords) -> None:
    assert claims.begin("a", "print") is None
    with pytest.raises(ContentionError, match="in progress") as caught:
        claims.begin("a", "print")
    assert caught.value.reason == "IN_PROGRESS"
    assert claims.begin("b", "print") is None


def test_a_key_is_for_one_request(claims: IdempotencyRecords) -> None:
    claims.begin("a", "print")
    with pytest.raises(PreconditionError, match="another request") as caught:
        claims.begin("a", "another")
    assert caught.value.reason == "REQUEST_ID_REUSED"


def test_what_was_made_is_given_again(claims: IdempotencyRecords, ledger: RecordLog, uploads: Uploads) -> None:
    claims.begin("a", "print")
    record = ledger.append({"request_id": "a", "product_name": "x"})
    assert claims.begin("a", "print") == record
    claims.begin("b", "print")
    upload = uploads.create("b", "flask.png", b"photo", "PNG")
    with pytest.raises(ContentionError):
        claims.begin("b", "print")
    finished = uploads.put_cutout(upload.timestamp, Cutout(b"cutout", "mobile_sam", {}, 0.5))
    assert claims.begin("b", "print") == finished


def test_a_failed_request_may_be_begun_again_at_once(claims: IdempotencyRecords) -> None:
    claims.begin("a", "print")
    claims.abandon("a")
    assert claims.begin("a", "print") is None
    with pytest.raises(ContentionError):
        claims.begin("a", "print")
    claims.abandon("a")
    with pytest.raises(PreconditionError):
        claims.begin("a", "another")
    claims.abandon("never begun")


def test_who_died_holds_a_request_for_its_lease_only(store: ObjectStore, ledger: RecordLog, uploads: Uploads) -> None:
    short = IdempotencyRecords(store, ledger, uploads, lease_seconds=0, renewed_lease_seconds=1)
    assert short.begin("a", "print") is None
    assert short.begin("a", "print") is None
    ledger.append({"request_id": "a"})
    assert short.begin("a", "print") == {"sequence": 0, "request_id": "a"}


def test_a_claim_that_is_renewed_holds_and_one_that_is_no_longer_ends_soon(claims: IdempotencyRecords) -> None:
    assert claims.begin("a", "print", renewed=True) is None
    assert claims.renew_seconds < 0.4
    for _ in range(8):
        time.sleep(0.4)
        claims.renew("a")
    with pytest.raises(ContentionError):
        claims.begin("a", "print")
    time.sleep(2.1)  # stores count in seconds
    assert claims.begin("a", "print") is None
    with pytest.raises(ContentionError):
        claims.begin("a", "print", renewed=True)


def test_what_was_released_is_not_renewed(claims: IdempotencyRecords) -> None:
    claims.begin("a", "print", renewed=True)
    claims.abandon("a")
    claims.renew("a")
    assert claims.begin("a", "print") is None
    claims.renew("never begun")
    assert claims.begin("never begun", "print") is None


def test_claims_of_the_release_before_keep_their_lease(store: ObjectStore, claims: IdempotencyRecords) -> None:
    store.create(claim_key("a"), b'{"fingerprint":"print","since":0,"until":1.0}', JSON)
    time.sleep(2.1)
    with pytest.raises(ContentionError):
        claims.begin("a", "print", renewed=True)


def test_old_requests_are_forgotten(claims: IdempotencyRecords) -> None:
    claims.begin("a", "print")
    claims.sweep(3600)
    with pytest.raises(PreconditionError):
        claims.begin("a", "another")
    claims.sweep(-1)
    assert claims.begin("a", "another") is None


@pytest.mark.parametrize(("request_id", "fingerprint"), [("", "x"), ("x" * 201, "x"), ("a", "")])
def test_what_is_malformed_is_rejected(claims: IdempotencyRecords, request_id: str, fingerprint: str) -> None:
    with pytest.raises(InvalidInputError):
        claims.begin(request_id, fingerprint)
