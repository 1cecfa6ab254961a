import random

import pytest

from gateway.middleware.multipart import Rewriter

B = b"----cut-here"
BINARY = random.Random(7).randbytes(5000) + b"\r\n----cut-her\r\n\r\n; filename*=x"


def part(disposition: bytes) -> bytes:
    head = b'Content-Disposition: form-data; name="product_image"; ' + disposition
    return b"--" + B + b"\r\n" + head + b"\r\nContent-Type: image/jpeg\r\n\r\n" + BINARY + b"\r\n"


END = b"--" + B + b"--\r\n"
PLAIN = part(b'filename="a.jpg"')


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1000, 10**6])
@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (PLAIN + END, PLAIN + END),
        (PLAIN + PLAIN + END, PLAIN + PLAIN + END),
        (b"This is a message in MIME format.\r\n" + PLAIN + END, PLAIN + END),
        (b"\r\n" + PLAIN + END, PLAIN + END),
        (PLAIN + END + b"the end", PLAIN + END + b"the end"),
        ((PLAIN + END)[:-2], (PLAIN + END)[:-2]),
        (part(b"filename*=UTF-8''%E7%94%A2.jpg") + END, part('filename="產.jpg"'.encode()) + END),
        (part(b"filename*=utf-8'en'a%22b%0d%0ac") + END, part(b'filename="a_b__c"') + END),
        (part(b"filename=\"a.jpg\"; filename*=UTF-8''b") + END, part(b"filename=\"a.jpg\"; filename*=UTF-8''b") + END),
        (b"", b""),
        (b"no boundary at all", b""),
    ],
)
def test_dialects_become_what_the_parser_accepts_however_they_are_cut(given: bytes, wanted: bytes, size: int) -> None:
    rewriter = Rewriter(B, 100)
    pieces = [given[start : start + size] for start in range(0, len(given), size)] or [b""]
    out = b"".join(
        piece for number, one in enumerate(pieces, 1) for piece in rewriter.feed(one, last=number == len(pieces))
    )
    assert out == wanted


def test_an_endless_head_is_passed_on() -> None:
    rewriter = Rewriter(B, 100)
    out = b"".join(rewriter.feed(b"--" + B + b"\r\n" + b"x" * 100_000, last=False))
    assert len(out) > 90_000
