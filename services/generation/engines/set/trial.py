"""`python -m services.generation.engines.set.trial`: render a small picture with the fast variant, or end badly."""

import sys

import numpy as np

from services.generation.engines.set.renderer import FAST


def main() -> None:
    """Render 8x8 pixels of a ball under a sky; exit with 1 if they are not lit."""
    import mitsuba

    mitsuba.set_variant(FAST)
    scene = mitsuba.load_dict(
        {
            "type": "scene",
            "light": {"type": "constant"},
            "ball": {"type": "sphere", "surface": {"type": "principled", "clearcoat": 0.2}},
            "sensor": {
                "type": "perspective",
                "to_world": mitsuba.ScalarTransform4f().look_at(origin=[0, 0, 4], target=[0, 0, 0], up=[0, 1, 0]),
                "film": {"type": "hdrfilm", "width": 8, "height": 8},
            },
            "integrator": {"type": "path"},
        }
    )
    picture = np.array(mitsuba.render(scene, spp=1))
    sys.exit(0 if np.isfinite(picture).all() and picture.mean() > 0.1 else 1)


if __name__ == "__main__":
    main()
