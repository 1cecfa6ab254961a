from typing import get_args

import cv2
import numpy as np
import pytest

from common.styles import styles
from services.generation.audience import Audience, Product, Terms
from services.generation.background.background import Preferences
from services.generation.engines.set.choice import PAPER_LIGHTNESS, Paper, choose_set, paper_for, preferred_sets
from services.generation.engines.set.description import all_sets
from services.generation.engines.set.develop import develop, on_film, undeveloped
from services.generation.engines.set.look import Lab, Look, look_at
from services.generation.engines.set.matter import linear
from services.generation.engines.set.panorama import LUMINANCE
from services.generation.srgb import encode
from services.generation.stance import Stance, stance_of
from tests.unit.generation.set.conftest import jar


@pytest.mark.parametrize(
    ("name", "stance"),
    [
        ("TrailMate 保溫瓶", "standing"),
        ("Oak Armchair", "large"),
        ("Two-seat sofas", "large"),
        ("北歐風三人沙發", "large"),
        ("兒童腳踏車", "outdoors"),
        ("腳踏車安全帽", "standing"),
        ("Car charger", "standing"),
        ("Wooden toy car", "standing"),
        ("遙控汽車", "standing"),
        ("Family car", "outdoors"),
        ("Bottle for bike", "standing"),
        ("Mountain bike with fenders", "outdoors"),
        ("Cotton T-shirt", "hanging"),
        ("有機棉T恤", "hanging"),
        ("Rain jacket, blue", "hanging"),
        ("Gold necklace", "lying"),
        ("珍珠項鍊", "lying"),
        ("Tablet", "standing"),
        ("Desk lamp", "standing"),
        ("！！！", "standing"),
        ("", "standing"),
    ],
)
def test_a_name_tells_how_a_product_is_shown(name: str, stance: str) -> None:
    assert stance_of(Product(name), None) == stance


def test_english_terms_tell_it_too() -> None:
    assert stance_of(Product("Ligne Roset Togo"), Terms("upholstered sofa")) == "large"


def lab(colour: str) -> Lab:
    code = encode(np.asarray(linear(colour), np.float32)).astype(np.float32).reshape(1, 1, 3)
    return np.asarray(cv2.cvtColor(code, cv2.COLOR_RGB2Lab)[0, 0])


def test_a_product_is_not_put_before_its_own_colour() -> None:
    sets = [photo_set for photo_set in all_sets().values() if "standing" in photo_set.stances][:2]
    behind = {sets[0].name: lab("#8a1f1c"), sets[1].name: lab("#dfe6e1")}
    look = look_at(jar())
    rng = np.random.default_rng(0)
    chosen = [choose_set(sets, behind, Audience(), look, rng).name for _ in range(60)]
    assert chosen.count(sets[1].name) > 50


def test_an_interest_counts() -> None:
    sets = [photo_set for photo_set in all_sets().values() if "standing" in photo_set.stances]
    behind = {photo_set.name: lab("#dfe6e1") for photo_set in sets}
    look, rng = look_at(jar()), np.random.default_rng(0)
    chosen = [choose_set(sets, behind, Audience(interest="gaming"), look, rng) for _ in range(100)]
    assert sum("gaming" in photo_set.interests for photo_set in chosen) > 60


def test_a_stance_without_a_set_takes_any() -> None:
    sets = [photo_set for photo_set in all_sets().values() if photo_set.stances == ("standing",)]
    assert preferred_sets(sets, "hanging", Preferences()) == (sets, "")


@pytest.mark.parametrize("style", styles())
@pytest.mark.parametrize("stance", get_args(Stance))
def test_every_style_has_a_set_for_every_way_to_show_a_product(style: str, stance: Stance) -> None:
    sets, note = preferred_sets(list(all_sets().values()), stance, Preferences(style=style))
    assert note == ""
    assert {photo_set.name for photo_set in sets} <= set(styles()[style].sets)
    assert all({stance, "large" if stance == "outdoors" else stance} & {*photo_set.stances} for photo_set in sets)


def test_a_car_is_shown_in_a_room_only_if_that_is_asked_for() -> None:
    everything = list(all_sets().values())
    unasked, _ = preferred_sets(everything, "outdoors", Preferences())
    asked, note = preferred_sets(everything, "outdoors", Preferences(style="living_room"))
    assert not {photo_set.name for photo_set in unasked} & set(styles()["living_room"].sets)
    assert {photo_set.name for photo_set in asked} <= set(styles()["living_room"].sets)
    assert note == ""


@pytest.mark.parametrize(
    ("scene", "style"),
    [
        ("on a Beach at sunset", "seaside"),
        ("在森林裡露營", "forest"),
        ("a cosy home", "living_room"),
        ("霓虹街頭", "neon"),
    ],
)
def test_a_preference_in_words_is_met_by_the_sets_of_the_style_that_it_names(scene: str, style: str) -> None:
    sets, note = preferred_sets(list(all_sets().values()), "standing", Preferences(scene))
    assert note == ""
    assert any(photo_set.name in styles()[style].sets for photo_set in sets)
    assert len(sets) < 10


def test_a_preference_that_no_set_meets_is_noted() -> None:
    sets, note = preferred_sets(list(all_sets().values()), "standing", Preferences("on the moon"))
    assert len(sets) > 10
    assert note.startswith("sets cannot show the scene asked for")
    assert "Seaside" in note


def test_what_is_to_be_avoided_is() -> None:
    everywhere = list(all_sets().values())
    sets, _ = preferred_sets(everywhere, "standing", Preferences(avoid="沙灘, no trees please"))
    names = {photo_set.name for photo_set in sets}
    assert not names & {*styles()["seaside"].sets, *styles()["forest"].sets}
    assert "white_plinth" in names
    only = preferred_sets(everywhere, "standing", Preferences("forest", "forest"))[0]
    assert only


def test_a_style_whose_sets_are_not_installed_is_noted() -> None:
    sets, note = preferred_sets([all_sets()["white_plinth"]], "standing", Preferences(style="forest"))
    assert [photo_set.name for photo_set in sets] == ["white_plinth"]
    assert "forest" in note


def seen(paper: Paper) -> Lab:
    """Return the colour in which an even paper is seen in a picture."""
    colour = np.mean([linear(code) for code in paper.colours], axis=0)
    field = np.broadcast_to(np.asarray(colour, np.float32), (32, 32, 3))
    shown = encode(develop(field, paper.exposure, (1, 1), 0)).astype(np.float32)[8:24, 8:24].mean(axis=(0, 1))
    return np.asarray(cv2.cvtColor(shown.reshape(1, 1, 3), cv2.COLOR_RGB2Lab)[0, 0])


def test_paper_takes_the_brands_colour_unless_the_product_would_merge_with_it() -> None:
    red = lab("#c8102e")
    rng = np.random.default_rng(0)
    for product, is_taken in ((lab("#2f6fb0"), True), (red, False)):
        paper = paper_for(Look(product, product, 0, 0.13), rng, "#C8102E")
        assert bool(np.linalg.norm(seen(paper) - red) < 8) is is_taken


@pytest.mark.parametrize(
    "brand", ["#0b6e4f", "#f2c14e", "#1b2a6b", "#c8102e", "#f7e6da", "#222222", "#7fd1ff", "#ffffff", "#000000"]
)
def test_a_brands_colour_is_seen_as_it_is_but_for_papers_too_dark_or_bright_for_a_shadow(brand: str) -> None:
    meant = lab(brand)
    product = lab("#ffffff" if meant[0] < 55 else "#101010")
    found = seen(paper_for(Look(product, product, 0, 0.13), np.random.default_rng(0), brand))
    meant[0] = np.clip(meant[0], *PAPER_LIGHTNESS)
    assert np.linalg.norm(found - meant) < 8


@pytest.mark.parametrize("colour", ["#8a1f1c", "#101010", "#f5f5f0", "#2f6fb0", "#808080"])
def test_paper_is_apart_from_the_product(colour: str) -> None:
    product = lab(colour)
    look = Look(product, product, 0, 0.13)
    for seed in range(8):
        paper = paper_for(look, np.random.default_rng(seed))
        assert np.linalg.norm(seen(paper) - product) > 20
        light = np.array([linear(code) for code in paper.colours], np.float32)
        shown = encode(on_film(light * paper.exposure / (light @ LUMINANCE).mean())).astype(np.float32)
        dark, bright = cv2.cvtColor(shown.reshape(1, 2, 3), cv2.COLOR_RGB2Lab)[0]
        assert 3 < np.linalg.norm(bright - dark) < 12


def test_film_is_undone() -> None:
    light = np.linspace(0, 3, 200, dtype=np.float32)
    assert undeveloped(on_film(light)) == pytest.approx(light, abs=0.02)
