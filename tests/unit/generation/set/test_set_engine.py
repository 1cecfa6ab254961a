import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar, get_args

import cv2
import numpy as np
import pytest
from PIL import Image

from common.serving import work
from services.generation.audience import INTERESTS, Audience, Product
from services.generation.background.background import Preferences, RenderedSet
from services.generation.compose.compose import put
from services.generation.compose.quality import light_at_contact
from services.generation.engines.set import set_engine
from services.generation.engines.set.choice import PAPER_LIGHTNESS
from services.generation.engines.set.description import all_sets
from services.generation.engines.set.look import Look, look_at
from services.generation.engines.set.renderer import PLAIN, Renderer
from services.generation.engines.set.set_engine import MOST_PIXELS, SetEngine
from services.generation.engines.set.solid import Solid
from services.generation.engines.set.trace import OUT_OF_SIGHT, trace
from services.generation.geometry import Size
from services.generation.srgb import Light, to_srgb
from services.generation.stance import Stance
from tests.unit.generation.set.conftest import KERNELS, jar, shot
from weights.manifest import FOLDER

Choice = TypeVar("Choice")
GOLDEN = Path(__file__).with_name("golden")
SMALL = (60, 50)
GOLDEN_SETS = (
    "bathroom_shelf", "cafe_table", "concrete_sun", "dark_plinth", "forest_table", "kitchen_counter", "living_room",
    "rock_on_sand", "wall_peg", "wood_above",
)  # fmt: skip
ON_GROUND = ("rock_on_sand", "kitchen_counter", "white_plinth", "warehouse_floor", "paper_sweep")
PERCEPTIBLE = 4.0
"""Mean colour difference (CIE76) of two small pictures that tells them apart."""


def mostly_slow(choices: Sequence[Choice], *quick: Choice) -> list[Any]:
    """Return the choices as parameters of a test that is slow for all but some of them."""
    return [choice if choice in quick else pytest.param(choice, marks=pytest.mark.slow) for choice in choices]


@pytest.fixture
def no_solid(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the product out of the scene that is traced."""
    monkeypatch.setattr(set_engine, "make_solid", lambda *_, **__: Solid(OUT_OF_SIGHT, np.zeros((0, 2))))


def small_lab(picture: Light) -> Light:
    small = cv2.resize(to_srgb(picture), SMALL, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2Lab), np.float32)


@pytest.mark.parametrize(
    "name", mostly_slow(GOLDEN_SETS, "concrete_sun", "forest_table", "kitchen_counter", "wall_peg")
)
def test_a_set_looks_as_it_did(name: str, engine: SetEngine) -> None:
    """If a set was changed on purpose: look at the new pictures, then run with GOLDEN=new."""
    wanted = shot(name)
    picture = put(engine.render(wanted), wanted.layer, wanted.box)
    file = GOLDEN / f"{name}.png"
    if os.environ.get("GOLDEN") == "new":
        small = cv2.resize(to_srgb(picture), SMALL, interpolation=cv2.INTER_AREA)
        Image.fromarray(np.asarray(small)).save(file)
    known = np.asarray(Image.open(file)).astype(np.float32) / 255
    apart = np.linalg.norm(small_lab(picture) - cv2.cvtColor(known, cv2.COLOR_RGB2Lab), axis=-1)
    assert apart.mean() < PERCEPTIBLE
    assert np.percentile(apart, 99) < 5 * PERCEPTIBLE


def test_the_golden_pictures_tell_sets_apart() -> None:
    pictures = [np.asarray(Image.open(GOLDEN / f"{name}.png")).astype(np.float32) / 255 for name in GOLDEN_SETS]
    labs = [cv2.cvtColor(picture, cv2.COLOR_RGB2Lab) for picture in pictures]
    apart = [np.linalg.norm(one - two, axis=-1).mean() for number, one in enumerate(labs) for two in labs[number + 1 :]]
    assert min(apart) > 1.2 * PERCEPTIBLE


@pytest.mark.parametrize("name", ON_GROUND)
def test_a_product_stands_on_the_ground(name: str, engine: SetEngine) -> None:
    wanted = shot(name)
    assert light_at_contact(wanted.layer[..., 3], engine.render(wanted), wanted.box) < 0.85


def test_through_glass_the_set_is_seen(engine: SetEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = shot("kitchen_counter")
    glass = replace(wanted, layer=wanted.layer * np.float32(0.15))
    middle = np.s_[
        wanted.box.top + wanted.box.height // 3 : wanted.box.bottom - wanted.box.height // 3,
        wanted.box.left + wanted.box.width // 3 : wanted.box.right - wanted.box.width // 3,
    ]
    solid, clear = engine.render(wanted)[middle], engine.render(glass)
    assert light_at_contact(wanted.layer[..., 3], clear, wanted.box) < 0.95, "glass has a shadow"
    monkeypatch.setattr(set_engine, "make_solid", lambda *_, **__: Solid(OUT_OF_SIGHT, np.zeros((0, 2))))
    empty = engine.render(wanted)[middle]
    assert np.abs(clear[middle] - empty).mean() < 0.025
    assert np.abs(solid - empty).mean() > 0.1


def test_less_of_the_shadow_is_shown_on_request(engine: SetEngine) -> None:
    wanted = shot("white_plinth")
    lights = [
        light_at_contact(wanted.layer[..., 3], engine.render(replace(wanted, shadow=share)), wanted.box)
        for share in (1, 0.5, 0)
    ]
    assert lights[0] < lights[1] - 0.05 < lights[2] - 0.1
    assert lights[2] > 0.9


@pytest.mark.usefixtures("no_solid")
@pytest.mark.parametrize("name", mostly_slow(ON_GROUND[1:], "warehouse_floor", "paper_sweep"))
def test_without_its_solid_it_floats(name: str, engine: SetEngine) -> None:
    wanted = shot(name)
    assert light_at_contact(wanted.layer[..., 3], engine.render(wanted), wanted.box) > 0.9


@pytest.mark.parametrize("brand", ["#1b2a6b", "#0b6e4f", "#f2c14e"])
def test_a_brand_sees_its_own_colour(brand: str, engine: SetEngine) -> None:
    code = np.array([int(brand[at : at + 2], 16) for at in (1, 3, 5)], np.uint8).reshape(1, 1, 3)
    meant = cv2.cvtColor(code.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)[0, 0]
    product = np.array([95 if meant[0] < 55 else 10, 0, 0], np.float32)
    preferences = Preferences(colour=brand)
    wanted = RenderedSet(Product("jar"), Audience(), None, 3, preferences, name="paper_sweep")
    photo_set = engine.choose(wanted, Look(product, product, 0, 0.13))
    bright = jar((0.9, 0.9, 0.9) if product[0] > 50 else (0.02, 0.02, 0.02))
    picture = engine.render(replace(shot("paper_sweep", bright, ad=Size(160, 120)), photo_set=photo_set))
    meant[0] = np.clip(meant[0], *PAPER_LIGHTNESS)
    paper = np.median(small_lab(picture)[:, 2 : SMALL[0] // 4], axis=(0, 1))
    assert np.linalg.norm(paper - meant) < 14


def test_a_glossy_ground_reflects_the_product(engine: SetEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = shot("dark_plinth", jar((0.8, 0.02, 0.02)))
    box = wanted.box

    def redness(picture: Light) -> float:
        strip = picture[box.bottom + 2 : box.bottom + 12, box.left + 10 : box.right - 10].mean(axis=(0, 1))
        return float(strip[0] / strip[1:].mean())

    there = redness(engine.render(wanted))
    monkeypatch.setattr(set_engine, "make_solid", lambda *_, **__: Solid(OUT_OF_SIGHT, np.zeros((0, 2))))
    assert there > 1.25 * redness(engine.render(wanted))


def test_a_seed_gives_one_picture_in_any_thread(engine: SetEngine) -> None:
    wanted = shot("paper_sweep", ad=Size(120, 100))
    first, results = engine.render(wanted), list[Light]()
    threads = [threading.Thread(target=lambda: results.append(engine.render(wanted))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.tobytes() for one in results] == [first.tobytes()] * 3
    other = engine.render(shot("paper_sweep", ad=Size(120, 100), seed=4))
    assert not np.array_equal(other, first)


@pytest.mark.parametrize(
    "ad",
    mostly_slow(
        (Size(728, 90), Size(160, 600), Size(1080, 1920), Size(50, 50), Size(970, 250)), Size(728, 90), Size(160, 600)
    ),
)
def test_every_size_is_rendered_at_its_own_pixels(ad: Size, engine: SetEngine) -> None:
    wanted = shot("forest_table", ad=ad)
    picture = engine.render(wanted)
    assert picture.shape == (ad.height, ad.width, 3)
    assert np.isfinite(picture).all()
    assert picture.min() >= 0
    assert picture.max() <= 1
    assert picture.std() > 0.03


def test_the_plain_renderer_makes_the_same_pictures(engine: SetEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = shot("white_plinth", ad=Size(90, 75))
    fast = engine.render(wanted)
    monkeypatch.setattr(engine, "renderer", Renderer(PLAIN))
    plain = engine.render(wanted)
    apart = np.linalg.norm(small_lab(fast) - small_lab(plain), axis=-1)
    assert apart.mean() < PERCEPTIBLE
    assert np.percentile(apart, 99) < 5 * PERCEPTIBLE


@pytest.mark.slow
def test_large_ads_are_traced_small(engine: SetEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels: list[int] = []

    def counted(scene: object, surfaces: object, camera: object, *more: object) -> object:
        pixels.append(camera.width * camera.height)  # type: ignore[attr-defined]
        return trace(scene, surfaces, camera, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(set_engine, "trace", counted)
    engine.render(shot("paper_sweep", ad=Size(1080, 1080)))
    assert pixels[0] <= 1.01 * MOST_PIXELS


def test_a_caller_who_has_gone_ends_the_work(engine: SetEngine) -> None:
    gone = threading.Event()
    gone.set()
    work.set_abandoned(gone)
    try:
        with pytest.raises(work.AbandonedError):
            engine.render(shot("forest_table"))
    finally:
        work.set_abandoned(threading.Event())
    assert engine.render(shot("forest_table", ad=Size(60, 50))).shape == (50, 60, 3), "and the next caller is served"


@pytest.mark.parametrize("interest", ["", *INTERESTS])
@pytest.mark.parametrize("stance", get_args(Stance))
def test_there_is_a_set_for_every_product_and_audience(interest: str, stance: Stance) -> None:
    fitting = [
        photo_set
        for photo_set in all_sets().values()
        if stance in photo_set.stances and interest in photo_set.interests
    ]
    assert len(fitting) >= 3


def test_there_are_many_sets(engine: SetEngine) -> None:
    assert len(engine.sets) >= 16
    for interest in INTERESTS:
        assert sum(interest in photo_set.interests for photo_set in engine.sets) >= 3


def test_the_same_seed_chooses_the_same_set_and_others_others(engine: SetEngine) -> None:
    look = look_at(jar())
    chosen = [engine.choose(RenderedSet(Product("jar"), Audience(), None, seed), look).name for seed in range(30)]
    assert chosen == [
        engine.choose(RenderedSet(Product("jar"), Audience(), None, seed), look).name for seed in range(30)
    ]
    assert len(set(chosen)) >= 6
    assert {all_sets()[name].stances[0] for name in chosen} == {"standing"}


def test_sets_whose_panorama_is_missing_rest(tmp_path: Path, engine: SetEngine) -> None:
    bare = SetEngine(tmp_path, KERNELS, samples=4)
    names = {photo_set.name for photo_set in bare.sets}
    assert {"forest_table", "white_plinth"} <= names
    assert "cafe_table" not in names
    assert {photo_set.name for photo_set in engine.sets} > names


@pytest.mark.slow
def test_no_kernel_is_compiled_after_the_start(tmp_path: Path) -> None:
    """In a process of its own: Dr.Jit's history of kernels is that of the process."""
    script = f"""
import json, sys
from pathlib import Path
from services.generation.engines.set.set_engine import SetEngine
engine = SetEngine(Path("weights"), Path({str(KERNELS)!r}), samples=4)
engine.warm()
import drjit
from services.generation.geometry import Size
from tests.unit.generation.set.conftest import jar, shot
with drjit.scoped_set_flag(drjit.JitFlag.KernelHistory, True):
    for name, ad in (("forest_table", Size(90, 70)), ("rock_on_sand", Size(60, 90)), ("wall_peg", Size(70, 70)),
                     ("concrete_sun", Size(120, 40)), ("dark_plinth", Size(64, 64)), ("bathroom_shelf", Size(80, 60))):
        engine.render(shot(name, ad=ad))
    history = drjit.kernel_history()
json.dump([str(kernel) for kernel in history if kernel["type"] == drjit.KernelType.JIT and not kernel["cache_hit"]], sys.stdout)
"""
    environment = {**os.environ, "DRJIT_CACHE_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


def test_a_damaged_panorama_among_the_weights_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.toml").write_bytes((FOLDER / "manifest.toml").read_bytes())
    (tmp_path / "forest_slope_1k.hdr").write_bytes(b"#?RADIANCE\n")
    with pytest.raises(ValueError, match=r"forest_slope_1k\.hdr is damaged"):
        SetEngine(tmp_path, KERNELS, samples=4)
