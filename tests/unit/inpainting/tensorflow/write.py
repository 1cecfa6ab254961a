"""Write reference outputs of the authors' DeepFill v2 graph, built from TensorFlow's own operations, and a checkpoint.

Needs TensorFlow, which the project does not; its output is committed here. From the root of the repository:

    .venv/bin/uv run --no-project --with tensorflow-cpu==2.21.0 python -m tests.unit.inpainting.tensorflow.write
"""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tests.unit.inpainting.tensorflow.seeded import seeded

Tensor = Any
HERE = Path(__file__).parent
HEIGHT, WIDTH = 64, 96


def kernel_and_bias(name: str, inputs: int, outputs: int, size: int) -> tuple[Tensor, Tensor]:
    weight = seeded(f"{name}.weight", (outputs, inputs, size, size))
    return tf.constant(weight.transpose(2, 3, 1, 0)), tf.constant(seeded(f"{name}.bias", (outputs,)))


def conv(x: Tensor, name: str, outputs: int, size: int = 3, stride: int = 1, rate: int = 1) -> Tensor:
    kernel, bias = kernel_and_bias(name, x.shape[-1], outputs, size)
    return tf.nn.conv2d(x, kernel, strides=stride, padding="SAME", dilations=rate) + bias


def gated(
    x: Tensor, name: str, outputs: int, size: int = 3, stride: int = 1, rate: int = 1, activation: Any = tf.nn.elu
) -> Tensor:
    if name.endswith("_upsample"):
        x = nearest(x, 2 * x.shape[1], 2 * x.shape[2])
    features, gate = tf.split(conv(x, name, 2 * outputs, size, stride, rate), 2, axis=3)
    return activation(features) * tf.sigmoid(gate)


def nearest(x: Tensor, height: int, width: int) -> Tensor:
    return tf.compat.v1.image.resize_nearest_neighbor(x, [height, width], align_corners=True)


def patches(x: Tensor, size: int, stride: int) -> Tensor:
    cut = tf.image.extract_patches(x, [1, size, size, 1], [1, stride, stride, 1], [1, 1, 1, 1], "SAME")
    return tf.reshape(cut, [-1, size, size, x.shape[-1]])


def diagonal_sums(scores: Tensor) -> Tensor:
    return tf.nn.conv2d(scores[None, :, :, None], tf.eye(3)[:, :, None, None], strides=1, padding="SAME")[0, :, :, 0]


def attention(features: Tensor, hole: Tensor) -> Tensor:
    _, height, width, channels = features.shape
    h, w = height // 2, width // 2
    small = nearest(features, h, w)
    filters = patches(small, 3, 1)
    norm = tf.sqrt(tf.reduce_sum(filters**2, axis=[1, 2, 3], keepdims=True))
    filters = tf.transpose(filters / tf.maximum(norm, 1e-4), [1, 2, 3, 0])
    known = tf.cast(tf.reduce_max(patches(nearest(hole, h, w), 3, 1), axis=[1, 2, 3]) == 0, tf.float32)
    scores = tf.reshape(tf.nn.conv2d(small, filters, strides=1, padding="SAME"), [h * w, h * w])
    scores = tf.reshape(diagonal_sums(scores), [h, w, h, w])
    scores = diagonal_sums(tf.reshape(tf.transpose(scores, [1, 0, 3, 2]), [h * w, h * w]))
    scores = tf.reshape(tf.transpose(tf.reshape(scores, [w, h, w, h]), [1, 0, 3, 2]), [1, h, w, h * w])
    weights = tf.nn.softmax(10 * scores * known) * known
    pasted = tf.transpose(patches(features, 4, 2), [1, 2, 3, 0])
    return tf.nn.conv2d_transpose(weights, pasted, [1, height, width, channels], strides=2, padding="SAME") / 4


def generate(picture: Tensor, hole: Tensor) -> Tensor:
    known = picture * (1 - hole)
    x = gated(tf.concat([known, tf.ones_like(hole), hole], axis=3), "conv1", 24, 5)
    x = gated(gated(x, "conv2_downsample", 48, stride=2), "conv3", 48)
    x = gated(gated(gated(x, "conv4_downsample", 96, stride=2), "conv5", 96), "conv6", 96)
    hole_small = nearest(hole, x.shape[1], x.shape[2])
    for number, rate in ((7, 2), (8, 4), (9, 8), (10, 16)):
        x = gated(x, f"conv{number}_atrous", 96, rate=rate)
    x = gated(gated(x, "conv11", 96), "conv12", 96)
    x = gated(gated(x, "conv13_upsample", 48), "conv14", 48)
    x = gated(gated(x, "conv15_upsample", 24), "conv16", 12)
    rough = tf.tanh(conv(x, "conv17", 3)) * hole + known

    x = gated(gated(rough, "xconv1", 24, 5), "xconv2_downsample", 24, stride=2)
    x = gated(gated(x, "xconv3", 48), "xconv4_downsample", 48, stride=2)
    x = gated(gated(x, "xconv5", 96), "xconv6", 96)
    for number, rate in ((7, 2), (8, 4), (9, 8), (10, 16)):
        x = gated(x, f"xconv{number}_atrous", 96, rate=rate)
    dilated = x

    x = gated(gated(rough, "pmconv1", 24, 5), "pmconv2_downsample", 24, stride=2)
    x = gated(gated(x, "pmconv3", 48), "pmconv4_downsample", 96, stride=2)
    x = gated(gated(x, "pmconv5", 96), "pmconv6", 96, activation=tf.nn.relu)
    x = gated(gated(attention(x, hole_small), "pmconv9", 96), "pmconv10", 96)

    x = gated(gated(tf.concat([dilated, x], axis=3), "allconv11", 96), "allconv12", 96)
    x = gated(gated(x, "allconv13_upsample", 48), "allconv14", 48)
    x = gated(gated(x, "allconv15_upsample", 24), "allconv16", 12)
    return tf.tanh(conv(x, "allconv17", 3)) * hole + known


def write_outputs() -> None:
    picture = np.random.default_rng(3).uniform(-1, 1, (1, HEIGHT, WIDTH, 3)).astype(np.float32)
    hole = np.zeros((1, HEIGHT, WIDTH, 1), np.float32)
    hole[:, 16:50, 40:75] = 1
    hole[:, 50:, :9] = 1
    output = generate(tf.constant(picture), tf.constant(hole)).numpy()
    planes = {"picture": picture, "hole": hole, "output": output}
    np.savez_compressed(HERE / "outputs.npz", **{name: values[0].transpose(2, 0, 1) for name, values in planes.items()})


def write_checkpoint() -> None:
    """Write a few layers and training leftovers with tf.train.Saver."""
    tf.compat.v1.disable_eager_execution()
    variables = {}
    for layer, inputs, outputs in (("conv17", 12, 3), ("conv16", 24, 24), ("allconv17", 12, 3)):
        weight = seeded(f"{layer}.weight", (outputs, inputs, 3, 3)).transpose(2, 3, 1, 0)
        variables[f"inpaint_net/{layer}/kernel"] = tf.compat.v1.Variable(weight)
        variables[f"inpaint_net/{layer}/bias"] = tf.compat.v1.Variable(seeded(f"{layer}.bias", (outputs,)))
    variables["discriminator/conv1/bias"] = tf.compat.v1.Variable(np.arange(5, dtype=np.float32))
    variables["global_step"] = tf.compat.v1.Variable(np.int64(1_000_000))
    with tf.compat.v1.Session() as session:
        session.run(tf.compat.v1.global_variables_initializer())
        tf.compat.v1.train.Saver(variables).save(
            session, str(HERE / "snap-0"), write_meta_graph=False, write_state=False
        )


if __name__ == "__main__":
    write_outputs()
    write_checkpoint()
