"""Where a product goes in a picture, and how light falls there."""

from dataclasses import dataclass

from services.generation.geometry import Box

SLIGHTLY_DOWN = 0.24
"""Pitch of a camera that looks down slightly, in radians."""


@dataclass(frozen=True)
class SceneLight:
    """Main light of a scene, as the direction towards it.

    Attributes:
        right: Component to the right, as seen in the picture; the vector may have any length.
        up: Component upwards; positive.
        towards: Component towards the viewer; negative if the light comes from behind.
        shadow: Darkness of its shadows, 0 to 1.
        softness: Blur of its shadows; 1 is that of a lamp in a room, less is the sun, more a window or the sky.
    """

    right: float = 0.0
    up: float = 1.0
    towards: float = 0.5
    shadow: float = 0.3
    softness: float = 1.0


@dataclass(frozen=True)
class Placement:
    """Where the product goes in a background, and how light falls there.

    Attributes:
        box: Box for the product, in background pixels; it stands on the bottom edge.
        light: Main light.
        reflectance: Fraction of light that the floor reflects, 0 to 1.
        estimated: Whether the box was found by analysing the picture.
        stand_in: Whether the picture was asked to contain a stand-in for the product.
        pitch: Angle by which the camera looks down on the floor, in radians.
    """

    box: Box
    light: SceneLight = SceneLight()
    reflectance: float = 0.0
    estimated: bool = False
    stand_in: bool = False
    pitch: float = SLIGHTLY_DOWN
