"""Write what matterport's own code makes of random weights, in `matterport_original.npz`.

Needs TensorFlow and matterport's package, which the project does not; the output is committed. From the root of the
repository:

    .venv/bin/uv run --no-project --python 3.11 --with tensorflow-cpu==2.15.1 --with mrcnn==0.2 --with 'numpy<2' \
        --with scikit-image --with h5py python -m tests.unit.segmentation.matterport_original

Its graph is for TensorFlow 1 and Keras 2.0: names that have moved since are replaced in its source before it is run.
"""

import importlib
import importlib.util
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tests.unit.segmentation.matterport_reference import write_random

OUTPUT = Path(__file__).with_suffix(".npz")
SIDE, DEPTH, SEED = 128, 101, 0
LEVELS = ("fpn_p2", "fpn_p3", "fpn_p4", "fpn_p5", "fpn_p6")
SETTINGS = {
    "NAME": "random", "IMAGES_PER_GPU": 1, "NUM_CLASSES": 81, "BACKBONE": f"resnet{DEPTH}", "IMAGE_MIN_DIM": SIDE,
    "IMAGE_MAX_DIM": SIDE, "DETECTION_MIN_CONFIDENCE": 0.05,
}  # fmt: skip
KEPT = 20
"""Detections whose masks are kept."""
MOVED = {
    "import tensorflow as tf": "import tensorflow.compat.v1 as tf; tf.disable_eager_execution()",
    "import keras.engine as KE": "KE = KL",
    "import keras.backend as K": "from tensorflow.keras import backend as K",
    "import keras.layers as KL": "from tensorflow.keras import layers as KL",
    "import keras.models as KM": "from tensorflow.keras import models as KM",
    "import keras\n": "from tensorflow import keras\n",
    "keras.__version__": "'2.15'",
    "KL.Reshape((s[1], num_classes, 4)": "KL.Reshape((-1, num_classes, 4)",
    "tf.range(probs.shape[0])": "tf.range(tf.shape(probs)[0])",
    "np.bool)": "bool)",
}


def copied(folder: Path) -> None:
    """Copy the package to a folder that comes first from now on, with what has moved replaced."""
    spec = importlib.util.find_spec("mrcnn")
    assert spec is not None
    assert spec.origin is not None
    (folder / "mrcnn").mkdir()
    for file in Path(spec.origin).parent.glob("*.py"):
        source = file.read_text(encoding="utf-8")
        for old, new in MOVED.items():
            source = source.replace(old, new)
        (folder / "mrcnn" / file.name).write_text(source, encoding="utf-8")
    sys.path.insert(0, str(folder))


def layers_of(layer: Any) -> Iterator[tuple[str, Any]]:
    """Yield the layers of a model and of the models in it, with the names that its files give them."""
    for inner in getattr(layer, "layers", ()):
        yield from layers_of(inner)
    if not hasattr(layer, "layers"):
        yield layer.name, getattr(layer, "layer", layer)


def picture() -> "np.ndarray[Any, np.dtype[np.uint8]]":
    """Return the picture that is looked at, (128, 128, 3): close to the mean, as random weights need it."""
    return np.random.default_rng(1).integers((122, 115, 102), (127, 120, 107), (SIDE, SIDE, 3), np.uint8)


def main() -> None:
    """Run it."""
    with tempfile.TemporaryDirectory() as folder:
        copied(Path(folder))
        code = importlib.import_module("mrcnn.model")
        config = importlib.import_module("mrcnn.config").Config
        model = code.MaskRCNN("inference", type("Random", (config,), SETTINGS)(), folder)
        weights = write_random(Path(folder, "random.h5"), DEPTH, SEED)
        for name, layer in layers_of(model.keras_model):
            parts = [variable.name.rpartition("/")[2].partition(":")[0] for variable in layer.weights]
            if parts:
                layer.set_weights([weights[name][part] for part in parts])
    molded, metas, windows = model.mold_inputs([picture()])
    anchors = np.broadcast_to(model.get_anchors(molded[0].shape), (1, *model.get_anchors(molded[0].shape).shape))
    graph = model.keras_model
    outputs = [graph.get_layer(name).output for name in (*LEVELS, "ROI", "mrcnn_detection", "mrcnn_mask")]
    *levels, rois, detections, masks = code.K.function(graph.inputs, outputs)([molded, metas, anchors])
    found = detections[0][detections[0][:, 5] > 0]
    classes = found[:KEPT, 4].astype(int)
    np.savez_compressed(
        OUTPUT,
        molded=molded[0].astype(np.float32),
        windows=windows[0],
        rois=rois[0],
        found=found,
        masks=np.stack([masks[0, index, :, :, number] for index, number in enumerate(classes)]).astype(np.float16),
        **{
            name: level[0, :: level.shape[1] // 2, :: level.shape[2] // 2]
            for name, level in zip(LEVELS, levels, strict=True)
        },
    )


if __name__ == "__main__":
    main()
