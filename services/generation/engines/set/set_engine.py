"""The engine `set`: chooses a set for a product, and renders each ad with the product in it."""

import threading
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from common.models.weights import check_weights
from common.serving import work
from services.generation.audience import Audience, Product, Terms
from services.generation.background.background import BackgroundRequest, Preferences, RenderedSet
from services.generation.engines.set import renderer
from services.generation.engines.set.backlight import with_backlight
from services.generation.engines.set.camera import Camera
from services.generation.engines.set.choice import choose_set, colour_behind, paper_for, preferred_sets
from services.generation.engines.set.description import SetDescription, all_sets
from services.generation.engines.set.develop import develop
from services.generation.engines.set.foregrounds import Stand, foreground, shade_of
from services.generation.engines.set.horizon import smooth_horizon
from services.generation.engines.set.look import Lab, Look
from services.generation.engines.set.panorama import (
    Light,
    backplate,
    find_panorama,
    main_light,
    read_panorama,
    surroundings,
)
from services.generation.engines.set.solid import Solid, make_solid
from services.generation.engines.set.trace import OUT_OF_SIGHT, Scene, Surfaces, denoise, trace
from services.generation.geometry import Box, Size
from services.generation.silhouette import silhouette
from services.generation.stance import stance_of

PANORAMAS = Path(__file__).with_name("panoramas")
TURNED = 13.0
"""Degrees by which the place is turned at most, one way or the other."""
MOST_PIXELS = 320_000
"""Pixels that are traced for an ad; larger ads are enlarged, before they are developed."""
SLANTED = 0.18
"""Part of the light to the right or left that makes shadows fall to one side."""
GLASS, GLASS_SHADOW = 0.85, 0.45
"""Mean alpha below which a product is glass: its shadow is as much lighter, but clear glass has some, too."""
WAITS_SECONDS = 0.1


@dataclass(frozen=True)
class Shot:
    """An ad to render.

    Attributes:
        photo_set: The set.
        layer: The product at its size in the ad, (h, w, 4), linear, premultiplied.
        box: Its place.
        ad: Size of the ad.
        look: How the product looks.
        seed: The same seed gives the same picture.
        shadow: How much of the product's shadow and reflection is shown, 0 (none) to 1 (all that the light makes).
    """

    photo_set: SetDescription
    layer: Light
    box: Box
    ad: Size
    look: Look
    seed: int
    shadow: float = 1.0


class SetEngine:
    """Renders ads in sets, one at a time. The same shot gives the same picture.

    Args:
        weights: Folder of further panoramas.
        cache: Folder for compiled kernels.
        samples: Samples per pixel.

    Raises:
        ValueError: A panorama among the weights is damaged.
    """

    name = "set"
    dollars_per_picture = 0.0

    def __init__(self, weights: Path, cache: Path, samples: int) -> None:
        self._folders = (PANORAMAS, weights)
        self._samples = samples
        self._one_at_a_time = threading.Lock()
        self._surfaces = Surfaces()
        self._around: dict[str, Light] = {}  # by set: 1.5 MB each
        self.renderer = renderer.prepare(cache)
        self.sets = [photo_set for photo_set in all_sets().values() if self._is_complete(photo_set)]
        for photo_set in self.sets:
            file = self._panorama_file(photo_set)
            if file is not None and file.parent == weights:
                check_weights(file)

    def warm(self) -> None:
        """Compile what all sets share, by rendering a small one, and look at what is behind the product in each."""
        layer = np.full((24, 16, 4), 0.5, np.float32)
        layer[..., 3] = 1
        look = Look(np.zeros(3, np.float32), np.zeros(3, np.float32), 0, 0.13)
        self.choose(RenderedSet(Product("product"), Audience(), None, 0), look)
        plain = next(one for one in self.sets if one.matter.kind == "paper")  # the matter that is made fastest
        self.render(Shot(plain, layer, Box(16, 10, 32, 34), Size(48, 44), look, 0))

    def ask_end(self) -> None:
        """See BackgroundEngine: it does not end."""

    def generate(self, request: BackgroundRequest) -> RenderedSet:
        """See BackgroundEngine: the set is rendered when the ads are composed, with the product in it."""
        _, note = self._preferred(request.product, request.terms, request.preferences)
        return RenderedSet(request.product, request.audience, request.terms, request.seed, request.preferences, note)

    def choose(self, wanted: RenderedSet, look: Look) -> SetDescription:
        """Choose a set for a product that looks so, unless it is named; the same arguments choose the same set."""
        rng = np.random.default_rng(wanted.seed)
        sets = [photo_set for photo_set in self.sets if photo_set.name == wanted.name]
        if not sets:
            sets, _ = self._preferred(wanted.product, wanted.terms, wanted.preferences)
        photo_set = _turned(choose_set(sets, self._behind, wanted.audience, look, rng), wanted.seed)
        if photo_set.paint == "product":
            paper = paper_for(look, rng, wanted.preferences.colour)
            matter = photo_set.matter.model_copy(update={"colours": paper.colours})
            return photo_set.model_copy(update={"matter": matter, "exposure": paper.exposure})
        return photo_set

    def _preferred(
        self, product: Product, terms: Terms | None, preferences: Preferences
    ) -> tuple[list[SetDescription], str]:
        return preferred_sets(self.sets, stance_of(product, terms), preferences)

    def render(self, shot: Shot) -> Light:
        """Render an ad without the product's own pixels, but with its shadow, contact and reflection.

        Returns:
            Linear light of a display, (H, W, 3), 0 to 1.

        Raises:
            AbandonedError: Nobody waits for it any more.
        """
        import mitsuba

        while not self._one_at_a_time.acquire(timeout=WAITS_SECONDS):
            work.pause(0)
        try:
            mitsuba.set_variant(self.renderer.variant)  # each thread has its own
            return self._render(shot)
        finally:
            self._one_at_a_time.release()

    def _render(self, shot: Shot) -> Light:
        small = _fitted(shot)
        camera = Camera(small.ad.width, small.ad.height, _foot(small), _pitch(small))
        solid = make_solid(small.layer, small.box, camera, stands=small.photo_set.stands)
        panorama = self._panorama(small.photo_set)
        around = self._surroundings(small.photo_set)
        mirrored = _is_mirrored(small, around)
        scene = _scene(small, camera, solid, around, mirrored=mirrored)
        traced = self._with_product(scene, camera, small)
        if small.photo_set.foreground == "ground":
            traced = smooth_horizon(traced, _in_whole(small, small.layer[..., 3]))
        light, cover = traced[..., :3], np.clip(traced[..., 3:4], 0, 1)
        albedo, normal = traced[..., 4:7], traced[..., 7:]
        if panorama is not None and small.photo_set.panorama is not None:
            behind = backplate(panorama, small.photo_set.panorama, camera.width, camera.height)
            behind = behind[:, ::-1] if mirrored else behind
            light = light + (1 - cover) * behind
            albedo = albedo + (1 - cover) * np.clip(behind / max(3 * float(behind.mean()), 1e-3), 0, 1)
        clean = denoise(light, albedo, normal)
        whole = clean
        if small.ad != shot.ad:
            whole = np.asarray(
                cv2.resize(clean, (shot.ad.width, shot.ad.height), interpolation=cv2.INTER_CUBIC), np.float32
            )
        lit = with_backlight(np.maximum(whole, 0), shot.layer, shot.box, shot.photo_set.exposure)
        # A paper's colour is what was chosen, whatever stands before it.
        metered = _in_whole(shot, shot.layer[..., 3]) < 0.5 if shot.photo_set.paint else None
        return develop(lit, shot.photo_set.exposure, shot.photo_set.warmth, shot.seed, metered)

    def _with_product(self, scene: Scene, camera: Camera, shot: Shot) -> NDArray[np.float32]:
        """Trace a scene with as much of the product's shadow and reflection as is wanted, and as glass has.

        Through glass the set is seen, not the solid that stands for it.
        """
        traced = self._traced(scene, camera, shot)
        cover = silhouette(shot.layer)
        opacity = float(shot.layer[..., 3][cover].mean()) if cover.any() else 1.0
        is_glass = opacity < GLASS
        strength = shot.shadow * (max(GLASS_SHADOW, opacity) if is_glass else 1)
        if strength == 1:
            return traced
        without = self._traced(replace(scene, product=OUT_OF_SIGHT), camera, shot)
        traced = without + np.float32(strength) * (traced - without)
        return np.where(_in_whole(shot, cover)[..., None] > 0, without, traced) if is_glass else traced

    def _traced(self, scene: Scene, camera: Camera, shot: Shot) -> NDArray[np.float32]:
        aperture = shot.photo_set.aperture
        return trace(scene, self._surfaces, camera, aperture, self._samples, shot.seed, lambda: work.pause(0))

    def _is_complete(self, photo_set: SetDescription) -> bool:
        return photo_set.panorama is None or self._panorama_file(photo_set) is not None

    def _panorama_file(self, photo_set: SetDescription) -> Path | None:
        return find_panorama(photo_set.panorama.name, self._folders) if photo_set.panorama else None

    def _panorama(self, photo_set: SetDescription) -> Light | None:
        file = self._panorama_file(photo_set)
        return read_panorama(file) if file else None

    @cached_property
    def _behind(self) -> dict[str, Lab]:
        import mitsuba

        mitsuba.set_variant(self.renderer.variant)
        return {photo_set.name: colour_behind(photo_set, self._panorama(photo_set)) for photo_set in self.sets}

    def _surroundings(self, photo_set: SetDescription) -> Light:
        key = photo_set.name
        if key not in self._around:
            # As described: light does not turn with the panorama.
            described = next((one for one in self.sets if one.name == key), photo_set)
            self._around[key] = surroundings(described, self._panorama(described))
        return self._around[key]


def _turned(photo_set: SetDescription, seed: int) -> SetDescription:
    """Return a set whose place is seen a little more from the left or the right, so that variants differ."""
    if photo_set.panorama is None:
        return photo_set
    turn = float(np.random.default_rng([seed, 1]).uniform(-TURNED, TURNED))
    place = photo_set.panorama.model_copy(update={"yaw": photo_set.panorama.yaw + turn})
    return photo_set.model_copy(update={"panorama": place})


def _is_mirrored(shot: Shot, around: Light) -> bool:
    """Return whether left and right are exchanged, so that the set is lit from the same side as the product."""
    share, towards = main_light(around)
    side = share * float(towards[0])
    if shot.look.lit_from and abs(side) > SLANTED:
        return bool(np.sign(side) != shot.look.lit_from)
    return bool(np.random.default_rng(shot.seed).random() < 0.5)


def _fitted(shot: Shot) -> Shot:
    """Return a shot of at most MOST_PIXELS."""
    scale = min(1.0, (MOST_PIXELS / (shot.ad.width * shot.ad.height)) ** 0.5)
    if scale == 1:
        return shot
    ad = Size(max(8, round(shot.ad.width * scale)), max(8, round(shot.ad.height * scale)))
    left, top = round(shot.box.left * scale), round(shot.box.top * scale)
    width, height = max(2, round(shot.box.width * scale)), max(2, round(shot.box.height * scale))
    layer = np.asarray(cv2.resize(shot.layer, (width, height), interpolation=cv2.INTER_AREA), np.float32)
    return replace(shot, ad=ad, box=Box(left, top, left + width, top + height), layer=layer)


def _foot(shot: Shot) -> float:
    return shot.box.bottom if shot.photo_set.stands else (shot.box.top + shot.box.bottom) / 2


def _in_whole(shot: Shot, plane: NDArray[Any]) -> Light:
    """Return a plane of the product's box in the whole ad, (H, W); 0 beside it."""
    whole = np.zeros((shot.ad.height, shot.ad.width), np.float32)
    part = whole[shot.box.top : shot.box.bottom, shot.box.left : shot.box.right]
    part[:] = plane[: part.shape[0], : part.shape[1]]
    return whole


def _pitch(shot: Shot) -> float:
    return shot.look.pitch if shot.photo_set.pitch is None else shot.photo_set.pitch


def _scene(shot: Shot, camera: Camera, solid: Solid, around: Light, *, mirrored: bool) -> Scene:
    rng = np.random.default_rng(shot.seed)
    middle = ((shot.box.left + shot.box.right) / 2 - shot.ad.width / 2) / camera.unit
    below = (shot.ad.height - shot.box.bottom) / camera.unit
    nearest = float(camera.on_ground(np.array(camera.width / 2), np.array(camera.height))[2])
    stand = Stand(middle, shot.box.width / 2 / camera.unit, shot.box.height / camera.unit, below, nearest)
    colours = shot.layer[..., :3] / np.maximum(shot.layer[..., 3:], 1e-3)
    pieces = foreground(shot.photo_set, stand, rng)
    around = np.ascontiguousarray(around[:, ::-1]) if mirrored else around
    shade = shade_of(shot.photo_set, rng, camera, mirrored=mirrored)
    return Scene(pieces, around, solid.mesh, np.clip(colours, 0, 1), shade)
