"""What a set is, as its file in sets/ says it."""

import math
import tomllib
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from services.generation.stance import Stance

Hex = Annotated[str, Field(pattern="^#[0-9a-f]{6}$")]

FOLDER = Path(__file__).with_name("sets")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MatterDescription(_Part):
    """A matter of matter.py."""

    kind: Literal["wood", "stone", "speckled", "plaster", "concrete", "linen", "sand", "paper", "tiles", "wet"]
    colours: tuple[Hex, ...]
    """From dark to light, as the kind uses them."""
    gloss: float = Field(0.3, ge=0, le=0.94)
    relief: float = Field(1.0, ge=0)
    """Height of its unevenness; 1 is what the kind usually has."""
    size: float = Field(2.0, gt=0)
    """Side of a map in units of the scene; the shorter side of an ad is two."""
    seed: int = 1


class LightDescription(_Part):
    """A lamp or the sun, far away."""

    azimuth: float
    """Degrees from the viewer's direction, to the right: 0 is behind the camera, 90 the right, 180 behind the set."""
    elevation: float
    width: float = Field(gt=0)
    """Degrees that it takes of the surroundings; a sun has about 1."""
    height: float = Field(gt=0)
    power: float = Field(gt=0)
    """Light it throws on a surface that faces it, where the surroundings' is 1."""
    colour: Hex = "#ffffff"

    @property
    def towards(self) -> NDArray[np.float64]:
        """Direction towards it, (3,), length one."""
        azimuth, elevation = math.radians(self.azimuth), math.radians(self.elevation)
        flat = math.cos(elevation)
        return np.array([math.sin(azimuth) * flat, math.sin(elevation), math.cos(azimuth) * flat])


class PanoramaDescription(_Part):
    """The place behind the set, and the light from it."""

    name: str
    yaw: float
    """Direction of the camera in the panorama, in degrees."""
    pitch: float = 4.0
    view: float = Field(58, gt=5, lt=120)
    """Angle that the ad's longer side shows, in degrees."""
    blur: float = Field(0.03, ge=0, le=0.1)
    """Radius of the defocus, as a fraction of the longer side."""
    neutral: float = Field(0.7, ge=0, le=1)
    """Part of its light's colour cast that is taken out."""
    dim: float = Field(1.0, gt=0)
    """Brightness of the place over that of the foreground."""


class SetDescription(_Part):
    """A set.

    Attributes:
        name: Name in records: its file's.
        title: What it shows, in a few words.
        stances: How products are shown in it.
        interests: Audience interests it suits; "" is no interest in particular.
        foreground: Function of foregrounds.py.
        matter: What the product stands on.
        wall: What the wall behind is made of, for foregrounds with one.
        panorama: The place behind. None: the wall fills the picture.
        lights: Lamps and the sun, besides the panorama's light.
        ambient: Colour of the light from everywhere, where there is no panorama.
        paint: "product": the matter's colours are chosen for the product.
        shade: What casts a pattern of shadows: leaves before the sun.
        pitch: Angle by which the camera looks down, in radians; None: as the product was seen.
        aperture: Radius of the lens, in units: how fast things get out of focus.
        exposure: Mean brightness of the picture, 0 to 1.
        warmth: Factors of red and blue of the film.
        depth: How far the ground reaches behind the product, in units.
    """

    name: str
    title: str
    stances: tuple[Stance, ...] = ("standing",)
    interests: tuple[str, ...] = ("",)
    foreground: Literal["table", "sweep", "plinth", "steps", "room", "rock", "hook", "above", "counter", "ground"]
    matter: MatterDescription
    wall: MatterDescription | None = None
    panorama: PanoramaDescription | None = None
    lights: tuple[LightDescription, ...] = ()
    ambient: Hex = "#808080"
    paint: Literal["", "product"] = ""
    shade: Literal["", "leaves", "window"] = ""
    pitch: float | None = None
    aperture: float = Field(0.05, ge=0)
    exposure: float = Field(0.28, gt=0, lt=1)
    warmth: tuple[float, float] = (1.0, 1.0)
    depth: float = 1.5

    @property
    def stands(self) -> bool:
        """Whether products stand on its ground."""
        return self.foreground not in ("hook", "above")


@cache
def all_sets() -> dict[str, SetDescription]:
    """Return every set by name.

    Raises:
        pydantic.ValidationError: A file does not describe a set.
    """
    files = sorted(FOLDER.glob("*.toml"))
    return {
        file.stem: SetDescription.model_validate({"name": file.stem} | tomllib.loads(file.read_text(encoding="utf-8")))
        for file in files
    }
