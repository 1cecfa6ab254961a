"""What words on the ads cost: three ads with headline, button, price and logo, over the same without words.

    python -m bench.message [RUNS]

Then a whole pack for Meta, Google, LINE and IAB banners with words, in seconds, beside a fixed work of the same run.
"""

import json
import statistics
import sys
import time

import numpy as np

from bench.sets import product, reference
from common.platforms import platforms
from services.generation.audience import Audience, Product
from services.generation.background.background import RenderedSet
from services.generation.compose.compose import Order, Output
from services.generation.compose.in_set import compose_in_set
from services.generation.engines.set.set_engine import SetEngine
from services.generation.geometry import Size
from services.generation.message.fonts import Fonts
from services.generation.message.message import Message
from services.generation.message.words import Words
from services.generation.settings import GenerationSettings

THREE = [Order(Size(300, 250)), Order(Size(320, 480)), Order(Size(336, 280))]
PACK = ("meta", "google", "line", "iab")
WANTED = RenderedSet(Product("Trail bottle"), Audience(interest="outdoor"), None, 3)


def pack() -> list[Order]:
    """Return the ads of all platforms of the pack, each size once."""
    rules = {rule.name: rule for name in PACK for rule in platforms()[name].pictures}
    return [Order(Size(rule.width, rule.height), rule.bytes) for rule in rules.values()]


def main() -> None:
    """Print a table and, as the last line, the figures as JSON."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    settings = GenerationSettings()
    engine = SetEngine(settings.weights_dir, settings.kernel_cache_dir, settings.set_samples)
    engine.warm()
    logo = np.full((80, 240, 4), (23, 96, 100, 255), np.uint8)
    message = Message("Keeps drinks cold for 24 hours", "Shop now", "$29", "Terms apply.", logo, (23, 96, 100))
    words, cutout = Words(message, Fonts(settings.weights_dir)), product()

    def seconds(orders: list[Order], chosen: Words | None) -> float:
        start = time.perf_counter()
        compose_in_set(engine, WANTED, cutout, orders, Output(), words=chosen)
        return time.perf_counter() - start

    seconds(THREE, words)  # loads fonts
    pairs = [(seconds(THREE, None), seconds(THREE, words)) for _ in range(runs)]
    bare, set_ = (statistics.median(column) for column in zip(*pairs, strict=True))
    orders = pack()
    whole, fixed = seconds(orders, words), reference()
    print(f"three ads: {bare:.2f} s without words, {set_:.2f} s with; {len(orders)} ads of a pack: {whole:.1f} s")
    figures = {
        "ratio": round(set_ / bare, 3),
        "extra_seconds": round(set_ - bare, 3),
        "pack_ads": len(orders),
        "pack_seconds": round(whole, 1),
        "pack_over_reference": round(whole / fixed, 1),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
