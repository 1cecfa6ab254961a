import itertools
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.generation.audience import AGES, GENDERS, INTERESTS, Audience, Product
from services.generation.copy.copy import LOCALES, LONG_LENGTH, SHORT_LENGTH
from services.generation.engines.templates import Templates
from services.generation.text import plain

AUDIENCES = [Audience(*parts) for parts in itertools.product((*GENDERS, ""), (*AGES, ""), (*INTERESTS, ""))]


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize(
    ("name", "description"),
    [
        ("保溫瓶", "24小時保冷、12小時保溫，不鏽鋼瓶身。杯蓋一鍵開啟，不漏水。"),
        ("Flask", "Keeps drinks cold for 24 hours. Steel body, one-hand lid."),
        ("X", ""),
        ("字" * 100, "字" * 5000),
        ("A" * 100, "word " * 1000),
        ("{name} %s", "{about}"),
        ("👨‍👩‍👧‍👦", "قارورة ماء"),
    ],
)
def test_the_length_rules_hold_for_every_audience(locale: str, name: str, description: str) -> None:
    for audience in AUDIENCES:
        copy = Templates().write(Product(name, description), audience, locale)
        assert len(copy.short_ad) in SHORT_LENGTH
        assert len(copy.long_ad) in LONG_LENGTH


@given(name=st.text(min_size=1, max_size=100).filter(plain), description=st.text(max_size=600))
@settings(max_examples=150, deadline=None)
def test_the_length_rules_hold_for_any_text(name: str, description: str) -> None:
    for locale in LOCALES:
        copy = Templates().write(Product(name.strip(), description), Audience("male", "55+", "pets"), locale)
        assert len(copy.short_ad) in SHORT_LENGTH
        assert len(copy.long_ad) in LONG_LENGTH
        assert "\n" not in copy.short_ad + copy.long_ad


@pytest.mark.parametrize("locale", LOCALES)
def test_product_description_and_audience_are_used(locale: str) -> None:
    product = Product("TrailMate", "不漏水 leak-proof")
    written = Templates().write(product, Audience(), locale)
    for text in (written.short_ad, written.long_ad):
        assert "TrailMate" in text
        assert "不漏水 leak-proof" in text
    interests = {Templates().write(product, Audience(interest=interest), locale).long_ad for interest in INTERESTS}
    ages = {Templates().write(product, Audience(age=age), locale).long_ad for age in AGES}
    genders = {Templates().write(product, Audience(gender=gender), locale).long_ad for gender in GENDERS}
    assert (len(interests), len(ages), len(genders)) == (len(INTERESTS), len(AGES), len(GENDERS))


def test_the_ads_open_with_a_hook_and_end_with_a_call() -> None:
    copy = Templates().write(Product("保溫瓶", "不漏水"), Audience(interest="outdoor"), "zh-TW")
    assert copy.short_ad.startswith(("山海在呼喚", "下一段旅程"))
    assert copy.short_ad.endswith("說走就走！")
    assert copy.long_ad.endswith("說走就走！")


@pytest.mark.parametrize("locale", LOCALES)
def test_a_sentence_that_has_its_own_stop_gets_no_second_one(locale: str) -> None:
    for description in ("好喝嗎？", "Is it good?", "真的！", "Wow!"):
        copy = Templates().write(Product("X", description), Audience(), locale)
        assert not re.search("[？！?!][。，.]", copy.short_ad + copy.long_ad)


def test_the_default_is_traditional_chinese() -> None:
    assert LOCALES[0] == "zh-TW"
