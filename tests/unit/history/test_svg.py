import io

import numpy as np
import pytest
from PIL import Image

from common.errors import InvalidInputError
from services.history.svg import drawn, is_svg

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 20">%s</svg>'


@pytest.mark.parametrize(
    ("logo", "size"),
    [
        (SVG % b'<rect width="20" height="20" fill="#c8102e"/>', (1200, 600)),
        (b'<?xml version="1.0"?>\n' + SVG.replace(b"40 20", b"20 40") % b'<circle r="9"/>', (600, 1200)),
        (b"\xef\xbb\xbf<!-- made by hand -->" + SVG % b'<path d="M0 0h40v20z"/>', (1200, 600)),
    ],
)
def test_shapes_are_drawn_as_large_as_an_ad_can_show(logo: bytes, size: tuple[int, int]) -> None:
    assert is_svg(logo)
    picture = Image.open(io.BytesIO(drawn(logo)))
    assert (picture.format, picture.mode, picture.size) == ("PNG", "RGBA", size)
    alpha = np.asarray(picture)[..., 3]
    assert alpha.max() == 255
    assert alpha.min() == 0


USES = b"".join(b'<g id="a%d">%s</g>' % (level, b'<use href="#a%d"/>' % (level - 1) * 10) for level in range(1, 9))


@pytest.mark.parametrize(
    ("logo", "problem"),
    [
        (SVG % b'<image href="/etc/hostname" width="9" height="9"/>', "shapes"),
        (SVG % b'<g><image href="data:image/png;base64,AAAA" width="9" height="9"/></g>', "shapes"),
        (SVG % b'<text y="9">Nord</text>', "shapes"),
        (SVG % b'<filter id="f"><feImage href="/etc/hostname"/></filter>', "shapes"),
        (b'<!DOCTYPE svg [<!ENTITY a "b">]>' + SVG % b"<rect/>", "cannot be drawn"),
        (b'<?xml version="1.0"?><!DOCTYPE x SYSTEM "/etc/hostname">' + SVG % b"<rect/>", "cannot be drawn"),
        (SVG % (b'<defs><g id="a0"><rect width="1" height="1"/></g>' + USES + b'</defs><use href="#a8"/>'), "drawn"),
        (b'<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1000000"/>', "drawn"),
        (b"<svg", "cannot be drawn"),
        (b"<svg\xff\xfe>", "cannot be drawn"),
    ],
)
def test_more_than_shapes_is_refused(logo: bytes, problem: str) -> None:
    with pytest.raises(InvalidInputError, match=problem) as caught:
        drawn(logo)
    assert caught.value.reason == "BRAND_LOGO"
