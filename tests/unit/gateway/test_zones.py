import pytest

from gateway.ad_sizes import Family
from gateway.pipelines.brief import Brief
from gateway.pipelines.scene import zone_for
from productimage.generation.v1 import generation_pb2
from productimage.text.v1 import text_pb2


@pytest.mark.parametrize(
    ("layout", "headline", "family", "zone"),
    [
        ("", "", (5, 4), "UNSPECIFIED"),
        ("none", "x", (5, 4), "UNSPECIFIED"),
        ("auto", "", (5, 4), "LEFT"),
        ("", "x", (2, 3), "ABOVE"),
        ("auto", "", (1, 1), "ABOVE"),
        ("right", "", (2, 3), "RIGHT"),
        ("bottom", "", (5, 4), "BELOW"),
    ],
)
def test_words_have_their_place_in_the_background(layout: str, headline: str, family: Family, zone: str) -> None:
    brief = Brief(
        timestamp="",
        product_image_filename="",
        product=generation_pb2.Product(name="x"),
        audience=generation_pb2.Audience(),
        target_audience="",
        locale="",
        sizes=[],
        user_background=b"",
        words=text_pb2.Words(headline=headline),
        layout=layout,
    )
    assert generation_pb2.MessageZone.Name(zone_for(brief, family)) == f"MESSAGE_ZONE_{zone}"
