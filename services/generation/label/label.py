"""The label of an ad: the IPTC digital source type that is true for it, who made it, and which generation it is of.

https://cv.iptc.org/newscodes/digitalsourcetype
"""

import re
from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

from common.labels import SOURCE_TYPES, WITH_TRAINED
from common.version import VERSION

TOOL = f"Product Image Generator {VERSION}"
TRAINED = ("trainedAlgorithmicMedia", WITH_TRAINED)
"""Types of pictures that a trained model made, wholly or in part."""
SYNTHETIC = ("algorithmicMedia", "compositeSynthetic", "digitalCreation", "virtualRecording", "dataDrivenMedia")
"""Types of pictures that were computed or drawn, wholly or in part."""
WITH_SYNTHETIC, OF_CAPTURES = SYNTHETIC[1], "compositeCapture"
RENDERED = "algorithmicMedia"
"""Type of a rendered set."""
_NAMED = re.compile(rb"digitalsourcetype/([A-Za-z]{1,60})", re.IGNORECASE)


@dataclass(frozen=True)
class Label:
    """What is known of the generation that ads belong to.

    Attributes:
        identifier: Identifier of the generation; may be empty.
        photo_sha256: SHA-256 of the product's photo, in hexadecimal; may be empty.
    """

    identifier: str = ""
    photo_sha256: str = ""


def composite_type(background: str) -> str:
    """Return the type of an ad: a composite of a photo and a background.

    Args:
        background: Type of the background; empty: a photo, as far as is known.
    """
    if background in TRAINED:
        return WITH_TRAINED
    return WITH_SYNTHETIC if background in SYNTHETIC else OF_CAPTURES


def source_type_in(file: bytes) -> str:
    """Return the type that the metadata of a picture file name; empty if they name none."""
    found = {name.decode() for name in _NAMED.findall(file)}
    ranked = (*TRAINED, *SYNTHETIC)
    return min(found, key=lambda name: ranked.index(name) if name in ranked else len(ranked), default="")


def xmp_of(label: Label, source_type: str) -> bytes:
    """Return the XMP packet of an ad.

    Args:
        label: The generation.
        source_type: IPTC digital source type of the ad.
    """
    fields = {
        "Iptc4xmpExt:DigitalSourceType": SOURCE_TYPES + source_type,
        "xmp:CreatorTool": TOOL,
        "dc:identifier": label.identifier,
    }
    attributes = " ".join(f"{name}={quoteattr(value)}" for name, value in fields.items() if value)
    photo = f"<rdf:li stRef:documentID={quoteattr('sha256:' + label.photo_sha256)}/>"
    parts = f"<xmpMM:Ingredients><rdf:Bag>{photo}</rdf:Bag></xmpMM:Ingredients>" if label.photo_sha256 else ""
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
        ' xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/" xmlns:stRef="http://ns.adobe.com/xap/1.0/sType/ResourceRef#"'
        f" {attributes}>{parts}</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()
