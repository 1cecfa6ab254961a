import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from common.models.device import Device
from services.segmentation.engines.base import Box, Prompt, PromptPoint
from services.segmentation.engines.sam.batching import MicroBatcher
from services.segmentation.engines.sam.embeddings import EmbeddingCache, content_key
from services.segmentation.engines.sam.sam_engine import SamEngine
from services.segmentation.settings import SegmentationSettings
from testing.pictures import ball

PHOTO, _ = ball(200, 150)


def engine(cache_mb: int = 16) -> SamEngine:
    settings = SegmentationSettings(embedding_cache_mb=cache_mb)
    return SamEngine.load(Path("weights/mobile_sam.pt"), Device("cpu", bfloat16=False), settings)


@pytest.mark.parametrize(("cache_mb", "encoded"), [(16, 1), (0, 2)])
def test_a_second_prompt_costs_the_decoder_alone(cache_mb: int, encoded: int, monkeypatch: pytest.MonkeyPatch) -> None:
    sam = engine(cache_mb)
    pictures: list[Tensor] = []
    encode = sam._encode

    def counted(picture: Tensor) -> Tensor:
        pictures.append(picture)
        return encode(picture)

    monkeypatch.setattr(sam, "_encode", counted)
    first = sam.segment(PHOTO, Prompt(box=Box(50, 25, 150, 125)))
    second = sam.segment(PHOTO.copy(), Prompt(points=(PromptPoint(100, 75, on_object=True),)))
    assert len(pictures) == encoded
    assert first[0].probability.shape == second[0].probability.shape == (150, 200)


def test_the_cache_is_bounded_and_lets_the_oldest_go() -> None:
    cache = EmbeddingCache(max_bytes=8000)
    embeddings = [torch.full((1, 1000), float(value)) for value in range(3)]
    cache.put(b"0", embeddings[0])
    cache.put(b"1", embeddings[1])
    assert cache.get(b"0") is embeddings[0]
    cache.put(b"2", embeddings[2])
    assert cache.get(b"1") is None
    assert cache.get(b"0") is embeddings[0]
    cache.put(b"huge", torch.zeros(1, 10_000))
    assert cache.get(b"huge") is None
    assert cache.get(b"2") is embeddings[2]


def test_the_key_is_of_content_and_shape() -> None:
    picture = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    assert content_key(picture) == content_key(picture.copy())
    assert content_key(picture) != content_key(picture.reshape(4, 2, 3))
    assert content_key(picture) != content_key(picture + np.uint8(1))
    assert content_key(picture[:, ::-1]) == content_key(np.ascontiguousarray(picture[:, ::-1]))


def test_every_batch_size_runs_once_before_inputs_are_taken() -> None:
    sizes: list[int] = []

    def double(batch: Tensor) -> Tensor:
        sizes.append(len(batch))
        return 2 * batch

    batcher = MicroBatcher(double, max_size=3, wait_seconds=0, example=torch.ones(1, 2))
    assert batcher(torch.full((1, 2), 4.0)).tolist() == [[8.0, 8.0]]
    assert sizes == [1, 2, 3, 1]


def test_requests_at_one_time_are_run_together_and_kept_apart() -> None:
    sizes: list[int] = []
    all_here = threading.Barrier(6)

    def double(batch: Tensor) -> Tensor:
        sizes.append(len(batch))
        return batch * 2

    batcher = MicroBatcher(double, max_size=4, wait_seconds=5)

    def ask(value: int) -> float:
        all_here.wait()
        return float(batcher(torch.tensor([[float(value)]])))

    with ThreadPoolExecutor(6) as pool:
        # The last two would wait for more requests; another pair fills their batch.
        rest = [pool.submit(ask, value) for value in range(6)]
        extra = [threading.Thread(target=batcher, args=(torch.zeros(1, 1),)) for _ in range(2)]
        for thread in extra:
            thread.start()
        assert [future.result() for future in rest] == [0, 2, 4, 6, 8, 10]
        for thread in extra:
            thread.join()
    assert sizes == [4, 4]


def test_a_failed_batch_fails_each_of_its_requests_and_no_other() -> None:
    def fussy(batch: Tensor) -> Tensor:
        if (batch < 0).any():
            raise ValueError("negative")
        return batch

    batcher = MicroBatcher(fussy, max_size=2, wait_seconds=0)
    with pytest.raises(ValueError, match="negative"):
        batcher(-torch.ones(1, 1))
    assert float(batcher(torch.ones(1, 1))) == 1
