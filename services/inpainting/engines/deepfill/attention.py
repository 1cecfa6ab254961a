"""Contextual attention (Yu et al., "Generative Image Inpainting with Contextual Attention", CVPR 2018, section 4).

Every position in the hole (a query) is painted with a mixture of the known positions (keys), weighted by how similar
their 3x3 neighbourhoods are. The scores of all pairs are never held at once, and queries that no pixel of the hole
depends on are skipped.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from services.inpainting.engines.deepfill.variant import Resize, Variant

RATE = 2
"""Factor by which features are downsampled before scoring."""
SHARPNESS = 10.0
"""Factor applied to the scores before the softmax."""
MIN_NORM = 1e-4
OVERLAP = 4.0
"""Number of pasted patches, 4x4 at stride 2, that cover a pixel."""


def shrink(x: Tensor, factor: int, rule: Resize) -> Tensor:
    """Downsample (B, C, H, W) to every `factor`-th row and column, by the rule of the variant.

    With align_corners the indices are spaced evenly from the first to the last, as in TensorFlow's
    ResizeNearestNeighbor.
    """
    if rule == "floor":
        return x[..., ::factor, ::factor]
    rows, columns = (_spread(side, side // factor).to(x.device) for side in x.shape[-2:])
    return x[..., rows[:, None], columns]


def _spread(side: int, kept: int) -> Tensor:
    if kept == 1:
        return torch.zeros(1, dtype=torch.long)
    step = torch.tensor(side - 1, dtype=torch.float32) / (kept - 1)
    return (torch.arange(kept, dtype=torch.float32) * step + 0.5).floor().long()


def queries_seen_by(hole: Tensor) -> Tensor:
    """Return the queries on which any pixel of the hole depends, traced back through the layers after attention.

    Args:
        hole: (B, 1, H, W), 1 in the hole; H and W are multiples of 8.

    Returns:
        (n,) int64, ascending: row-major indices in the (H/8, W/8) grid, joined over the batch.
    """

    def grown(mask: Tensor, by: int) -> Tensor:
        return functional.max_pool2d(mask, 2 * by + 1, stride=1, padding=by)

    seen = grown(hole, 3)  # allconv15_upsample, 16 and 17
    seen = grown(functional.max_pool2d(seen, 2), 2)  # allconv13_upsample and 14
    seen = grown(functional.max_pool2d(seen, 2), 4)  # pmconv9 and 10, allconv11 and 12
    pasted = functional.max_pool2d(seen, 2 * RATE, stride=RATE, padding=1)
    return pasted.amax(0).flatten().nonzero()[:, 0]


class ContextualAttention(nn.Module):
    """Contextual attention, (B, C, h, w) to (B, C, h, w).

    Args:
        variant: How features and the hole are downsampled, and whether scores are fused.
        scores_at_once: Number of scores computed together. Fusing briefly holds about four times as many.
    """

    def __init__(self, variant: Variant, scores_at_once: int) -> None:
        super().__init__()
        self._variant = variant
        self._scores_at_once = scores_at_once

    def forward(self, features: Tensor, hole: Tensor) -> Tensor:
        """Paint the features of the hole with known ones.

        Args:
            features: (B, C, H/4, W/4).
            hole: (B, 1, H, W), 1 in the hole.

        Returns:
            (B, C, H/4, W/4); 0 where no pixel of the hole depends on it.
        """
        small = shrink(features, RATE, self._variant.resize).float()
        grid = small.shape[-2], small.shape[-1]
        known = self._known(hole)
        patches = functional.unfold(small, 3, padding=1)
        scores = _Scores(patches, grid, fuse=self._variant.fuse)
        values = functional.unfold(features, 2 * RATE, stride=RATE, padding=1) * known.to(features.dtype)
        painted = torch.zeros_like(values)
        for some in self._chunks(queries_seen_by(hole), features.shape[0] * patches.shape[-1]):
            attention = scores.of(some).mul_(SHARPNESS * known).softmax(dim=-1).to(values.dtype)
            painted[..., some] = values @ attention.transpose(1, 2)
        return functional.fold(painted, features.shape[-2:], 2 * RATE, stride=RATE, padding=1) / OVERLAP

    def _known(self, hole: Tensor) -> Tensor:
        """Return (B, 1, L): 1 where the 3x3 neighbourhood has no hole."""
        for factor in self._variant.mask_steps:
            hole = shrink(hole, factor, self._variant.resize)
        return 1 - functional.max_pool2d(hole, 3, stride=1, padding=1).flatten(2)

    def _chunks(self, queries: Tensor, scores_each: int) -> tuple[Tensor, ...]:
        return torch.split(queries, max(1, self._scores_at_once // scores_each))


class _Scores:
    """Scores of queries against all keys.

    Args:
        patches: (B, K, L): the flattened neighbourhoods of all L positions, in row-major order.
        grid: Number of rows and columns.
        fuse: Whether to sum scores along diagonals, so that a pair scores higher if its neighbours match too (paper,
            "attention propagation"): first along rows, then along columns, each continued by the next one.
    """

    def __init__(self, patches: Tensor, grid: tuple[int, int], *, fuse: bool) -> None:
        norm = torch.linalg.vector_norm(patches, dim=1, keepdim=True).clamp_min(MIN_NORM)
        self._keys = patches / norm
        self._queries = functional.pad(patches.transpose(1, 2), (0, 0, 0, 1))  # index L, all zeros: no position
        self._grid = grid
        self._fuse = fuse
        places = torch.arange(grid[0] * grid[1], device=patches.device)
        self._along_rows = _neighbours(places)
        self._along_columns = _neighbours(places.view(grid).T.flatten())

    def of(self, queries: Tensor) -> Tensor:
        """Return the scores (B, n, L) of the queries (n,)."""
        if not self._fuse:
            return self._plain(queries)
        triples, places = torch.unique(self._along_columns[:, queries], return_inverse=True)
        singles, places_of_triples = torch.unique(self._along_rows[:, triples], return_inverse=True)
        plain = self._plain(singles)
        fused = _fuse_along_rows(*(plain[:, where] for where in places_of_triples))
        del plain
        return _fuse_along_columns(*(torch.unflatten(fused[:, where], -1, self._grid) for where in places)).flatten(2)

    def _plain(self, queries: Tensor) -> Tensor:
        return torch.matmul(self._queries[:, queries], self._keys)


def _neighbours(order: Tensor) -> Tensor:
    """Return the predecessor of every position, itself, and its successor, in an ordering of all positions.

    Returns:
        (3, L + 1) indices; L stands for none, and is its own neighbour.
    """
    none = order.new_full((1,), len(order))
    chain = torch.cat([none, order, none])
    table = none.expand(3, len(order) + 1).clone()
    for step in range(3):
        table[step, order] = chain[step : step + len(order)]
    return table


def _fuse_along_rows(before: Tensor, total: Tensor, after: Tensor) -> Tensor:
    """Add the scores (B, n, L) of the previous and next queries to `total` in place, each shifted by one key."""
    total[..., 1:] += before[..., :-1]
    total[..., :-1] += after[..., 1:]
    return total


def _fuse_along_columns(before: Tensor, total: Tensor, after: Tensor) -> Tensor:
    """Do the same along columns of keys, (B, n, h, w). The end of a column is followed by the start of the next."""
    total[..., 1:, :] += before[..., :-1, :]
    total[..., 0, 1:] += before[..., -1, :-1]
    total[..., :-1, :] += after[..., 1:, :]
    total[..., -1, :-1] += after[..., 0, 1:]
    return total
