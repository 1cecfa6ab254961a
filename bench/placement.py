"""How often a product is placed well in pictures that others made: on the surface, clear of things, in scale.

The pictures are the rendered rooms of testing/rooms, each with a product that belongs there and with three others, and
tables with a ball as a stand-in that was asked for, and without one. The reference is the calmest place, which knows
nothing of things and surfaces.

    python -m bench.placement
"""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import cast

import numpy as np

from common.imaging.codec import Pixels
from common.observability.logs import configure_logging
from common.serving.engines import EngineRegistry
from common.settings import LogSettings
from services.generation.placement.calmest import find_placement
from services.generation.placement.found import Found, Thing
from services.generation.placement.place import Placed, place_product
from services.generation.placement.placement import Placement
from services.generation.stance import Stance
from services.segmentation.detection.detection import find_everything, find_objects
from services.segmentation.engines.base import DetectionQuery, Engines
from services.segmentation.engines.registry import load_engines
from services.segmentation.settings import SegmentationSettings
from testing.pictures import table_with_ball
from testing.rooms.scenes import ROOMS
from testing.rooms.truth import Verdict, judge, picture_of

QUERY = DetectionQuery(frozenset(), 0.5, 64)
OTHERS: dict[Stance, dict[str, tuple[float, float]]] = {
    "standing": {"bottle": (0.09, 0.25), "box": (0.22, 0.2), "lamp": (0.2, 0.42)},
    "large": {"sofa": (2.0, 0.85), "armchair": (0.85, 0.95), "bicycle": (1.7, 1.0)},
}
"""Products by how they are shown: width and height in metres."""
TABLES = 10
Placer = Callable[[Pixels, float, Stance], Placed]


def seen(picture: Pixels, engines: Engines) -> Found:
    """Return what is found in a picture."""
    scene = find_everything(picture, QUERY, engines)
    return Found([Thing(thing.mask) for thing in scene.things], [surface.mask for surface in scene.surfaces])


def verdicts(name: str, found: Found | None) -> list[Verdict]:
    """Place the room's own product and three others in a room; None: at the calmest place."""
    room, picture = ROOMS[name](), picture_of(name)
    given = []
    for size in (room.product, *OTHERS[room.stance].values()):
        ratio = size[0] / size[1]
        placed = Placed(default := find_placement(picture, ratio))
        if found is not None:
            placed = place_product(picture, found, default, ratio, cast("Stance", room.stance))
        masks = [found.things[number].mask for number in placed.removed] if found else []
        given.append(judge(name, placed.placement.box, size, np.logical_or.reduce(masks) if masks else None))
    return given


def on_stand_in(seed: int, engines: Engines, *, is_there: bool) -> bool:
    """Return whether the product stands where the stand-in stood, or on the table if there is none."""
    picture, (middle, foot) = table_with_ball(seed, is_there=is_there)
    default: Placement = replace(find_placement(picture, 0.6), stand_in=is_there)
    if is_there:
        found = Found([Thing(one.mask) for one in find_objects(picture, QUERY, None, engines)])
    else:
        found = seen(picture, engines)
    box = place_product(picture, found, default, 0.6, "standing").placement.box
    if is_there:
        return abs(box.bottom - foot) <= 12 and abs((box.left + box.right) / 2 - middle) <= 12
    return 245 < box.bottom <= 400


def main() -> None:
    """Print a table and, as the last line, the figures as JSON."""
    configure_logging(LogSettings(), "bench")
    engines = load_engines(SegmentationSettings(), EngineRegistry())
    print(f"{'room':10} {'own':>5} {'scale':>6} {'of 4':>5} {'calmest, of 4':>14} {'seconds':>8}")
    ours: list[list[Verdict]] = []
    calmest: list[list[Verdict]] = []
    seconds = []
    for name in ROOMS:
        start = time.perf_counter()
        found = seen(picture_of(name), engines)
        seconds.append(time.perf_counter() - start)
        ours.append(verdicts(name, found))
        calmest.append(verdicts(name, None))
        own, good, plain = ours[-1][0], *(sum(one.is_good for one in given[-1]) for given in (ours, calmest))
        print(f"{name:10} {'good' if own.is_good else '-':>5} {own.scale:6.2f} {good:5} {plain:14} {seconds[-1]:8.1f}")
    figures = {
        "own_of_10": sum(one[0].is_good for one in ours),
        "all_of_40": sum(verdict.is_good for one in ours for verdict in one),
        "calmest_own_of_10": sum(one[0].is_good for one in calmest),
        "calmest_of_40": sum(verdict.is_good for one in calmest for verdict in one),
        "stand_ins_of_10": sum(on_stand_in(seed, engines, is_there=True) for seed in range(TABLES)),
        "empty_tables_of_10": sum(on_stand_in(seed, engines, is_there=False) for seed in range(TABLES)),
        "finding_seconds": round(float(np.median(seconds)), 2),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
