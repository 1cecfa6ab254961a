import itertools
import random
import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.platforms import platforms
from common.words import half_widths
from services.generation.audience import AGES, GENDERS, INTERESTS, Audience, Product
from services.generation.copy.claims import unsupported
from services.generation.copy.copy import (
    CALL_WIDTH,
    HEADLINE_WIDTH,
    LOCALES,
    LONG_LENGTH,
    NAME_WIDTH,
    SHORT_LENGTH,
    TONES,
    Copy,
    CopyRequest,
)
from services.generation.copy.description import sentences, shortened, told
from services.generation.engines import templates
from services.generation.engines.templates import Templates
from services.generation.text import plain

AUDIENCES = [Audience(*parts) for parts in itertools.product((*GENDERS, ""), (*AGES, ""), (*INTERESTS, ""))]
PLATFORMS = ("google", "pmax", "meta", "line")
TEXTS = tomllib.loads(Path(templates.__file__).with_name("templates.toml").read_text(encoding="utf-8"))
NEUTRAL = tomllib.loads(Path(__file__).with_name("neutral_words.toml").read_text(encoding="utf-8"))


EVERYBODY = Audience()


def written(product: Product, audience: Audience = EVERYBODY, locale: str = "zh-TW", seed: int = 0) -> Copy:
    return Templates().write(CopyRequest(product, audience, locale, PLATFORMS, "Nord", seed=seed))


def all_texts(copy: Copy) -> list[str]:
    fields = [text for field in copy.fields if field.name != "business_name" for text in field.texts]
    return [copy.short_ad, copy.long_ad, copy.headline, copy.call_to_action, *fields]


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
        copy = Templates().write(CopyRequest(Product(name, description), audience, locale))
        assert len(copy.short_ad) in SHORT_LENGTH
        assert len(copy.long_ad) in LONG_LENGTH


@given(name=st.text(min_size=1, max_size=100).filter(plain), description=st.text(max_size=600), seed=st.integers(0, 99))
@settings(max_examples=150, deadline=None)
def test_every_length_and_width_holds_for_any_text(name: str, description: str, seed: int) -> None:
    product, known = Product(name.strip(), description), platforms()
    for locale in LOCALES:
        copy = written(product, Audience("male", "55+", "pets"), locale, seed)
        assert len(copy.short_ad) in SHORT_LENGTH
        assert len(copy.long_ad) in LONG_LENGTH
        assert "\n" not in copy.short_ad + copy.long_ad
        assert half_widths(copy.headline) <= (
            HEADLINE_WIDTH if half_widths(product.name) <= HEADLINE_WIDTH else NAME_WIDTH
        )
        assert 0 < half_widths(copy.call_to_action) <= CALL_WIDTH
        for field in copy.fields:
            rule = known[field.platform].texts[field.name]
            assert all(0 < half_widths(text) <= rule.width for text in field.texts)
            assert len(set(field.texts)) == len(field.texts) <= rule.most


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("product", [Product("Flask", "Keeps cold. Steel."), Product("保溫瓶", ""), Product("字" * 60)])
def test_every_required_field_is_filled(product: Product, locale: str) -> None:
    found = {(field.platform, field.name): field.texts for field in written(product, locale=locale).fields}
    for name in PLATFORMS:
        for field, rule in platforms()[name].texts.items():
            assert len(found.get((name, field), ())) >= rule.least, (name, field)


@pytest.mark.parametrize("locale", LOCALES)
def test_product_description_and_interest_are_used(locale: str) -> None:
    product = Product("TrailMate", "不漏水 leak-proof")
    copy = Templates().write(CopyRequest(product, Audience(), locale))
    for text in (copy.short_ad, copy.long_ad):
        assert "TrailMate" in text
        assert "不漏水 leak-proof".casefold() in text.casefold()
    texts = {written(product, Audience(interest=interest), locale).long_ad for interest in INTERESTS}
    assert len(texts) == len(INTERESTS)


@pytest.mark.parametrize("locale", LOCALES)
def test_another_seed_gives_other_words(locale: str) -> None:
    product = Product("TrailMate", "steel body")
    assert len({written(product, locale=locale, seed=seed).short_ad for seed in range(20)}) >= 15
    assert written(product, locale=locale, seed=3) == written(product, locale=locale, seed=3)


@pytest.mark.parametrize("locale", LOCALES)
def test_every_tone_has_six_openings_closings_and_frames(locale: str) -> None:
    texts = TEXTS[locale]
    assert set(texts["openings"]) == set(texts["closings"]) == {*TONES, *INTERESTS}
    for kind in ("openings", "closings"):
        assert all(len(set(sentences)) >= 6 for sentences in texts[kind].values())
    assert len(set(texts["frames"])) >= 6
    assert len(set(texts["frames_of_name"])) >= 6


def test_a_brands_tone_comes_before_the_audiences() -> None:
    request = CopyRequest(Product("TrailMate"), Audience(interest="sports"), "en", tone="calm")
    opening = Templates().write(request).short_ad
    assert any(one in opening for one in TEXTS["en"]["openings"]["calm"])


def template_sentences(locale: str) -> list[str]:
    texts = TEXTS[locale]
    of_tones = [one for kind in ("openings", "closings", "more_of") for tone in texts[kind].values() for one in tone]
    frames = [re.sub(r"\{\w+\}", " ", frame) for frame in (*texts["frames"], *texts["frames_of_name"])]
    return [*of_tones, *texts["more"], *texts["headlines"], *texts["calls"], *frames]


@pytest.mark.parametrize("locale", LOCALES)
def test_no_template_claims_anything(locale: str) -> None:
    for sentence in template_sentences(locale):
        assert unsupported(sentence.replace("{name}", ""), Product("X"), locale) == [], sentence


def test_every_list_of_claims_finds_what_the_first_release_said() -> None:
    product = Product("沙發")
    for said in (
        "收進背包不佔空間",
        "風吹日曬也不怕",
        "經得起汗水",
        "觸感溫和",
        "絕不掉鏈子",
        "兼顧家庭與自我的你",
        "專為你打造",
    ):
        assert unsupported(said, product, "zh-TW"), said
    for said in ("Tough enough for curious paws", "Only the best for baby!", "Gentle to the touch", "Made with care"):
        assert unsupported(said, Product("sofa"), "en"), said


NAMES = {
    "zh-TW": ["保溫瓶", "山形折疊椅", "貓糧", "沙發", "Glow 膠原飲", "氣炸鍋", "露營燈", "積木", "滑鼠", "瑜珈墊"],
    "en": ["Flask", "Spring mattress", "Wireless headphones", "Cat food", "Sofa", "Tent", "Wooden blocks", "Mug"],
}
SAYINGS = {
    "zh-TW": [
        "24小時保冷",
        "每瓶 5,000 mg",
        "不鏽鋼瓶身",
        "2:30 分鐘煮好",
        "NT$1,280",
        "附收納袋",
        "1.8 公尺電線",
        "三段調光",
    ],
    "en": ["5,000 mg of collagen", "10,000 springs", "ready in 2:30 minutes", "steel body", "$29.90", "9 x 12 inches"],
}


def cases(locale: str) -> list[tuple[Product, Audience, int]]:
    chance, made = random.Random(22), []
    for seed in range(200):
        sayings = chance.sample(SAYINGS[locale], chance.randint(0, 3))
        stop = chance.choice(("，", "。", "、") if locale == "zh-TW" else (", ", ". ", "; "))
        made.append((Product(chance.choice(NAMES[locale]), stop.join(sayings)), chance.choice(AUDIENCES), seed))
    return made


@pytest.mark.parametrize("locale", LOCALES)
def test_every_content_word_is_the_users_or_neutral(locale: str) -> None:
    """In Chinese, what is left without the user's words must be made of neutral words."""
    neutral = NEUTRAL[locale]
    made_of_neutral = re.compile(f"(?:{'|'.join(map(re.escape, neutral))})*")
    for product, audience, seed in cases(locale):
        known = f"{product.name} {product.description}".casefold()
        for text in all_texts(written(product, audience, locale, seed)):
            if locale == "en":
                words = set(re.findall(r"[a-z0-9][a-z0-9.,:'$-]*[a-z0-9]|[a-z0-9]", text.casefold()))
                unknown = {word for word in words if word not in known and word not in neutral}
                assert not unknown, (text, unknown)
            else:
                left = text
                for part in sorted({product.name, *re.split("[，。、]", product.description)} - {""}, key=len):
                    left = left.replace(part, " ")
                unknown = {part for part in re.split(r"[^\w]+", left) if not made_of_neutral.fullmatch(part)}
                assert not unknown, (text, unknown)


@pytest.mark.parametrize("locale", LOCALES)
def test_no_figure_is_cut(locale: str) -> None:
    for product, audience, seed in cases(locale):
        figures = set(re.findall(r"\d[\d.,:]*\d|\d", product.description))
        for text in all_texts(written(product, audience, locale, seed)):
            assert set(re.findall(r"\d[\d.,:]*\d|\d", text)) <= figures, text


@pytest.mark.parametrize(
    ("description", "said"),
    [
        ("5,000 mg of collagen, mango", ["5,000 mg of collagen, mango"]),
        (
            "Ready in 2:30 minutes. Approx. 5 portions! Dishwasher?",
            ["Ready in 2:30 minutes", "Approx. 5 portions!", "Dishwasher?"],
        ),
        ("• 24小時保冷\n• 1.8 公尺", ["24小時保冷", "1.8 公尺"]),
        ("用「好。睡」枕。真的！", ["用「好。睡」枕", "真的！"]),
        ("No. 5 by U.S. makers", ["No. 5 by U.S. makers"]),
        ("。。。", []),
    ],
)
def test_sentences_end_at_stops_that_end_them(description: str, said: list[str]) -> None:
    assert sentences(description) == tuple(said)


@pytest.mark.parametrize(
    ("text", "room", "cut"),
    [
        ("Mattress with 10,000 springs inside", 22, "Mattress…"),
        ("Mattress with 10,000 springs inside", 30, "Mattress with 10,000 springs…"),
        ("The lamp of the moon", 16, "The lamp…"),
        ("價格 NT$1,280 含運", 8, "價格…"),
        ("Freeze-Dried Coffee", 13, "Freeze-Dried…"),
        ("「永不融化」的冰", 5, ""),
        ("👨‍👩‍👧‍👦👨‍👩‍👧‍👦", 9, "👨‍👩‍👧‍👦…"),
    ],
)
def test_what_is_too_long_is_cut_between_words(text: str, room: int, cut: str) -> None:
    assert shortened(text, room, len) == cut


def test_whole_clauses_are_told_before_words_are_cut() -> None:
    assert told("24小時保冷、12小時保溫，不鏽鋼瓶身", 16, len, "。") == "24小時保冷、12小時保溫"
    assert told("Steel. Keeps cold for 24 hours.", 8, len, ". ") == "Steel"


@pytest.mark.parametrize(
    "name", ["露露與奶奶手工編織托特包米白色大容量款", "Stainless Steel Insulated Bottle with Loop"]
)
def test_a_name_as_headline_is_not_cut(name: str) -> None:
    assert written(Product(name)).headline == name


@pytest.mark.parametrize(
    ("description", "claim"),
    [("a delight on the table", "light"), ("not newly bought", "new"), ("seasoned wood", "easy")],
)
def test_a_claim_inside_another_word_was_not_told(description: str, claim: str) -> None:
    assert unsupported(f"It is {claim}", Product("stool", description), "en") == [claim]
    assert unsupported(f"It is {claim}", Product("stool", f"{description}, {claim}"), "en") == []


def test_widths_are_those_of_east_asia() -> None:
    assert half_widths("abc") == 3
    assert half_widths("保溫瓶") == 6
    assert half_widths("ｱｶﾞ") == 3
    assert half_widths("Ａ") == 2
    assert half_widths("a—b") == 3
    assert half_widths("保—溫") == 6


@pytest.mark.parametrize("locale", LOCALES)
def test_a_sentence_that_has_its_own_stop_gets_no_second_one(locale: str) -> None:
    for description in ("好喝嗎？", "Is it good?", "真的！", "Wow!"):
        copy = written(Product("X", description), locale=locale)
        assert not re.search("[？！?!][。，.]", copy.short_ad + copy.long_ad)


def test_the_default_is_traditional_chinese() -> None:
    assert LOCALES[0] == "zh-TW"


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("description", ["...", " - ", "，，，", "。", "!?", "—", "·", "***"])
def test_a_description_of_punctuation_alone_is_none(description: str, locale: str) -> None:
    bare, told_nothing = Product("Mug", description), Product("Mug")
    for seed in range(20):
        assert all_texts(written(bare, locale=locale, seed=seed)) == all_texts(
            written(told_nothing, locale=locale, seed=seed)
        )
