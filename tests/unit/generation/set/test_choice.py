import cv2
import numpy as np
import pytest

from services.generation.audience import Audience, Product, Terms
from services.generation.engines.set.choice import choose_set, paper_colours
from services.generation.engines.set.description import SetDescription, all_sets
from services.generation.engines.set.look import Lab, Look, look_at
from services.generation.engines.set.matter import linear
from services.generation.srgb import encode
from services.generation.stance import stance_of
from tests.unit.generation.set.conftest import jar


@pytest.mark.parametrize(
    ("name", "stance"),
    [
        ("TrailMate 保溫瓶", "standing"),
        ("Oak Armchair", "large"),
        ("Two-seat sofas", "large"),
        ("北歐風三人沙發", "large"),
        ("兒童腳踏車", "large"),
        ("腳踏車安全帽", "standing"),
        ("Car charger", "standing"),
        ("Bottle for bike", "standing"),
        ("Mountain bike with fenders", "large"),
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
    sets = [stage for stage in all_sets().values() if "standing" in stage.stances][:2]
    behind = {sets[0].name: lab("#8a1f1c"), sets[1].name: lab("#dfe6e1")}
    look = look_at(jar())
    rng = np.random.default_rng(0)
    chosen = [choose_set(sets, behind, "standing", Audience(), look, rng).name for _ in range(60)]
    assert chosen.count(sets[1].name) > 50


def test_an_interest_counts() -> None:
    sets = [stage for stage in all_sets().values() if "standing" in stage.stances]
    behind = {stage.name: lab("#dfe6e1") for stage in sets}
    look, rng = look_at(jar()), np.random.default_rng(0)
    chosen = [choose_set(sets, behind, "standing", Audience(interest="gaming"), look, rng) for _ in range(100)]
    assert sum("gaming" in stage.interests for stage in chosen) > 60


def test_a_stance_without_a_set_takes_any() -> None:
    sets = [stage for stage in all_sets().values() if stage.stances == ("standing",)]
    behind = {stage.name: lab("#dfe6e1") for stage in sets}
    stage = choose_set(sets, behind, "hanging", Audience(), look_at(jar()), np.random.default_rng(0))
    assert isinstance(stage, SetDescription)


@pytest.mark.parametrize("colour", ["#8a1f1c", "#101010", "#f5f5f0", "#2f6fb0", "#808080"])
def test_paper_is_apart_from_the_product(colour: str) -> None:
    product = lab(colour)
    look = Look(product, product, 0, 0.13)
    for seed in range(8):
        dark, light = (lab(code) for code in paper_colours(look, np.random.default_rng(seed)))
        assert np.linalg.norm(dark - product) > 20
        assert np.linalg.norm(light - dark) < 12
