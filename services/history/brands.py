"""Brand kits: what an advertiser's ads have in common."""

import re
from dataclasses import dataclass, replace
from itertools import islice

import structlog
from prometheus_client import Counter
from pydantic import Base64Bytes

from common.errors import DamagedStoreError, InvalidInputError, NotFoundError
from common.imaging.header import check_header
from common.settings import ImageLimits
from services.history import paths
from services.history.small_files import SmallFiles
from services.history.storage.base import ObjectStore
from services.history.svg import drawn, is_svg

log = structlog.get_logger()

UNREADABLE = Counter("productimage_brands_unreadable", "Brands passed over in a listing because they are damaged.")
MAX_NAME, MAX_LEGAL = 40, 120
"""Characters."""
MAX_LOGO_BYTES = 500_000
LOGO_FORMATS = ("PNG", "WEBP")
FONTS = ("", "sans", "serif")
TONES = ("", "lively", "calm")
MAX_LISTED = 1000
_NAME = re.compile(r"\S(?:[^\x00-\x1f\x7f]*\S)?")
_COLOUR = re.compile(r"(?:#[0-9A-Fa-f]{6})?")


@dataclass(frozen=True)
class Brand:
    """A brand kit. What is empty was not chosen.

    Attributes:
        name: Name of the advertiser.
        logo: A PNG or WebP file.
        primary_colour: Colour of buttons, as #RRGGBB.
        secondary_colour: Colour of badges, as #RRGGBB.
        font: "sans" or "serif".
        tone: "lively" or "calm".
        legal: Legal line.
    """

    name: str
    logo: Base64Bytes = b""
    primary_colour: str = ""
    secondary_colour: str = ""
    font: str = ""
    tone: str = ""
    legal: str = ""


BRANDS = SmallFiles(Brand, "store the brand again, or remove the file")


class Brands:
    """Brand kits of a store.

    Args:
        store: Object store.
        limits: Limits of logos.
    """

    def __init__(self, store: ObjectStore, limits: ImageLimits) -> None:
        self._store = store
        self._limits = limits

    def put(self, brand: Brand) -> None:
        """Store a brand, replacing one of the same name. An SVG logo is stored as PNG.

        Raises:
            InvalidInputError: A field is not allowed.
        """
        if is_svg(brand.logo) and len(brand.logo) <= MAX_LOGO_BYTES:
            brand = replace(brand, logo=drawn(brand.logo))
        _check(brand, self._limits)
        self._store.put(paths.brand_key(brand.name), BRANDS.dump(brand), paths.JSON)

    def get(self, name: str) -> Brand:
        """Return a brand.

        Raises:
            NotFoundError: There is none of this name.
            DamagedStoreError: Its file is damaged.
        """
        found = BRANDS.find(self._store, paths.brand_key(name))
        if found is None:
            raise NotFoundError("There is no brand of this name.", "UNKNOWN_BRAND")
        return found.value

    def names(self) -> list[str]:
        """Return the names of all brands, in order; damaged ones are passed over and counted."""
        keys = [listed.key for listed in islice(self._store.list(paths.BRANDS), MAX_LISTED)]
        found = (self._readable(key) for key in keys)
        return sorted((brand.name for brand in found if brand), key=str.casefold)

    def _readable(self, key: str) -> Brand | None:
        try:
            found = BRANDS.find(self._store, key)
        except DamagedStoreError as error:
            UNREADABLE.inc()
            log.warning("brand passed over", file=error.file, problem=error.problem)
            return None
        return found.value if found else None

    def delete(self, name: str) -> None:
        """Delete a brand; a missing one counts as deleted."""
        self._store.delete([paths.brand_key(name)])


def _check(brand: Brand, limits: ImageLimits) -> None:
    if not _NAME.fullmatch(brand.name) or len(brand.name) > MAX_NAME:
        raise InvalidInputError(f"A brand's name must have 1 to {MAX_NAME} visible characters.", "BRAND_NAME")
    colours = (brand.primary_colour, brand.secondary_colour)
    rules = (
        (all(map(_COLOUR.fullmatch, colours)), "A colour is written as #RRGGBB, such as #C8102E."),
        (brand.font in FONTS, f"Fonts are {' and '.join(FONTS[1:])}."),
        (brand.tone in TONES, f"Tones are {' and '.join(TONES[1:])}."),
        (len(brand.legal) <= MAX_LEGAL, f"The legal line has more than {MAX_LEGAL} characters: shorten it."),
    )
    for is_kept, problem in rules:
        if not is_kept:
            raise InvalidInputError(problem, "BRAND_FIELD")
    if len(brand.logo) > MAX_LOGO_BYTES:
        raise InvalidInputError(f"The logo is larger than {MAX_LOGO_BYTES // 1000} kB: make it smaller.", "BRAND_LOGO")
    if brand.logo and check_header(brand.logo, limits) not in LOGO_FORMATS:
        raise InvalidInputError("The logo must be an SVG, PNG or WebP file, with transparency.", "BRAND_LOGO")
