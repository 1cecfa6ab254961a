"""What people read about a cut-out that needs a look, by reason, in both languages."""

from collections.abc import Iterable
from typing import TypedDict


class Sentences(TypedDict):
    """A sentence in each language."""

    en: str
    zh: str


NOTES: dict[str, Sentences] = {
    "GLASS": {
        "en": "The product looks like glass: the new background shows through it. Paint over what is not see-through.",
        "zh": "商品看起來是透明的，會透出新的背景；不透明的部分請用筆刷補上。",
    },
    "GROUND_INSIDE": {
        "en": "Some of the old background may still show inside the product: take it away by hand if it does.",
        "zh": "商品的空隙中可能還留有原本的背景，請看一下，有需要可以手動去除。",
    },
    "SEVERAL_PRODUCTS": {
        "en": "There is more than one object: take away by hand what is not for sale.",
        "zh": "照片裡不只一件物品，如果有些不是要賣的，請手動去除。",
    },
    "CUT_BY_FRAME": {
        "en": "The photo cuts the product off at its edge: use one that shows all of it.",
        "zh": "商品在照片邊緣被切掉了，建議換一張拍到完整商品的照片。",
    },
    "BLURRED": {
        "en": "The product is not sharp: a photo in focus makes better ads.",
        "zh": "商品有點模糊，換一張對焦清楚的照片，廣告會更好看。",
    },
    "SMALL": {
        "en": "The product is small in this photo and has to be enlarged: a larger photo makes sharper ads.",
        "zh": "商品在照片裡偏小，放大後會不夠清晰，建議換一張較大的照片。",
    },
    "UNSURE": {
        "en": "We are not sure what the product is: check the cut-out, and correct it by hand if needed.",
        "zh": "我們不太確定哪個是商品，請檢查去背結果，有需要可以手動調整。",
    },
}


def sentences_on(reasons: Iterable[str]) -> list[str]:
    """Return the sentences of the reasons that are known, in English, as records keep them."""
    return [NOTES[reason]["en"] for reason in reasons if reason in NOTES]


def together(notes: Iterable[str]) -> list[str]:
    """Return notes on single ads, "300x250: it looks soft.", with those that say the same of several in one."""
    sizes: dict[str, list[str]] = {}
    for note in notes:
        size, is_on_one, text = note.partition(": ")
        named = sizes.setdefault(text if is_on_one else note, [])
        named += [size] if is_on_one else []
    return [f"{', '.join(named)}: {text}" if named else text for text, named in sizes.items()]
