"""Whether the same seed gives the same picture of a real diffusion model behind a server, asked by the engine `images`.

The model is tiny and has random weights, so its pictures show nothing; what counts is that bytes of a model's own
pictures go all the way. It needs `pip install diffusers`, which no lock holds. `ratio` is the time of the engine over
that of the model alone.

    python -m bench.image_model
"""

import base64
import io
import json
import time

import torch

from services.generation.audience import Audience, Product
from services.generation.background.background import Background, BackgroundRequest
from services.generation.engines.openai.access import to_images
from services.generation.engines.openai.images import Images
from services.generation.settings import GenerationSettings
from services.segmentation.engines.mask_rcnn.operators import SUBSTITUTES
from services.segmentation.engines.without_torchvision import import_detection
from testing.scripted_http import Asked, Reply, scripted

RATIOS = (1.0, 1.25, 0.66)
STEPS = 4


class Model:
    """An unconditional pixel diffusion model (DDIM) with random weights."""

    def __init__(self) -> None:
        import_detection(SUBSTITUTES)  # before diffusers: it makes torchvision fit this build of torch
        from diffusers import DDIMPipeline, DDIMScheduler, UNet2DModel

        torch.manual_seed(0)
        network = UNet2DModel(
            sample_size=64,
            layers_per_block=1,
            block_out_channels=(32, 64),
            down_block_types=("DownBlock2D", "AttnDownBlock2D"),
            up_block_types=("AttnUpBlock2D", "UpBlock2D"),
        )
        self._pipeline = DDIMPipeline(network, DDIMScheduler(num_train_timesteps=100))
        self._pipeline.set_progress_bar_config(disable=True)
        self.seconds = 0.0

    def answer(self, asked: Asked) -> Reply:
        """Answer a request as vLLM-Omni does."""
        if not asked.body:
            return Reply(404)
        start = time.perf_counter()
        noise = torch.Generator().manual_seed(asked.json["seed"])
        picture = self._pipeline(num_inference_steps=STEPS, generator=noise).images[0]
        file = io.BytesIO()
        picture.resize(tuple(map(int, asked.json["size"].split("x")))).save(file, "PNG")
        self.seconds += time.perf_counter() - start
        entry = {"b64_json": base64.b64encode(file.getvalue()).decode()}
        return Reply(body=json.dumps({"created": 0, "data": [entry]}).encode())


def main() -> None:
    """Ask, and print a table and a JSON object."""
    model, same, other = Model(), 0, 0
    with scripted(model.answer) as server:
        chosen = {"IMAGES_BASE_URL": f"{server.url}/v1", "images_dialect": "vllm-omni", "images_model": "tiny"}
        settings = GenerationSettings.model_validate({**chosen, "images_pixels": 262_144})
        engine = Images(to_images(settings), settings)

        def made(ratio: float, seed: int) -> Background:
            return engine.generate(BackgroundRequest(Product("cup"), Audience(), ratio, seed))

        start = time.perf_counter()
        for ratio in RATIOS:
            first, again, changed = made(ratio, 7), made(ratio, 7), made(ratio, 8)
            same += first.pixels.tobytes() == again.pixels.tobytes()
            other += first.pixels.tobytes() != changed.pixels.tobytes()
            print(f"{ratio:5.2f}  {first.pixels.shape[1]} x {first.pixels.shape[0]}  {first.engine}")
        seconds = time.perf_counter() - start
    print(json.dumps({"same": same, "other": other, "of": len(RATIOS), "ratio": round(seconds / model.seconds, 2)}))


if __name__ == "__main__":
    main()
