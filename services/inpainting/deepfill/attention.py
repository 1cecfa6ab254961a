"""Contextual attention (Yu et al., "Generative Image Inpainting with Contextual Attention", CVPR 2018, section 4).

Every place of the hole (a query) is painted with what is known, mixed by how much its 3x3 surroundings look like those
of each known place (a key). The scores of all pairs are never held at once, and queries that no pixel of the hole
depends on are left out.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from services.inpainting.deepfill.variant import Resize, Variant

RATE = 2
"""Scores are worked out between features made so many times smaller."""
SHARPNESS = 10.0
"""What scores are multiplied by before softmax."""
LEAST_NORM = 1e-4
OVERLAP = 4.0
"""How many of the pasted patches, 4x4 at stride 2, cover a pixel."""


def shrink(x: Tensor, factor: int, rule: Resize) -> Tensor:
    """Keep every `factor`-th row and column of (B, C, H, W), by the variant's rule.

    With align_corners the indices are spread from the first to the last, as TensorFlow's ResizeNearestNeighbor does.
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
    """Give the queries on which some pixel of the hole depends: the layers after attention, gone through backwards.

    Args:
        hole: (B, 1, H, W), 1 in the hole, its sides multiples of 8.

    Returns:
        Their indices in the (H/8, W/8) grid, row by row; (n,), ascending. One list for all of a batch.
    """

    def grown(mask: Tensor, by: int) -> Tensor:
        return functional.max_pool2d(mask, 2 * by + 1, stride=1, padding=by)

    seen = grown(hole, 3)  # allconv15_upsample, 16 and 17
    seen = grown(functional.max_pool2d(seen, 2), 2)  # allconv13_upsample and 14
    seen = grown(functional.max_pool2d(seen, 2), 4)  # pmconv9 and 10, allconv11 and 12
    pasted = functional.max_pool2d(seen, 2 * RATE, stride=RATE, padding=1)
    return pasted.amax(0).flatten().nonzero()[:, 0]


class ContextualAttention(nn.Module):
    """(B, C, h, w) to the same.

    Args:
        variant: How features and the hole are made smaller, and whether scores are fused.
        scores_at_once: How many scores are worked out together. Fusing takes about four times as many for a moment.
    """

    def __init__(self, variant: Variant, scores_at_once: int) -> None:
        super().__init__()
        self._variant = variant
        self._scores_at_once = scores_at_once

    def forward(self, features: Tensor, hole: Tensor) -> Tensor:
        """Paint the hole's features with known ones.

        Args:
            features: (B, C, H/4, W/4).
            hole: (B, 1, H, W), 1 in the hole.

        Returns:
            Like the features; 0 where no pixel of the hole depends on it.
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
        """(B, 1, L): 1 where the 3x3 surroundings have no hole."""
        for factor in self._variant.mask_steps:
            hole = shrink(hole, factor, self._variant.resize)
        return 1 - functional.max_pool2d(hole, 3, stride=1, padding=1).flatten(2)

    def _chunks(self, queries: Tensor, scores_each: int) -> tuple[Tensor, ...]:
        return torch.split(queries, max(1, self._scores_at_once // scores_each))


class _Scores:
    """Scores of queries against all keys.

    Args:
        patches: (B, K, L): the surroundings of every place; L places in rows.
        grid: Rows and columns.
        fuse: Whether scores are added up along diagonals: a pair counts more when its neighbours fit as well (paper,
            "attention propagation"), along rows first, then along columns; at an end the next row or column follows.
    """

    def __init__(self, patches: Tensor, grid: tuple[int, int], *, fuse: bool) -> None:
        norm = torch.linalg.vector_norm(patches, dim=1, keepdim=True).clamp_min(LEAST_NORM)
        self._keys = patches / norm
        self._queries = functional.pad(patches.transpose(1, 2), (0, 0, 0, 1))  # the last, of zeros: there is none
        self._grid = grid
        self._fuse = fuse
        places = torch.arange(grid[0] * grid[1], device=patches.device)
        self._along_rows = _neighbours(places)
        self._along_columns = _neighbours(places.view(grid).T.flatten())

    def of(self, queries: Tensor) -> Tensor:
        """Give (B, n, L) of the queries, (n,)."""
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
    """Give, for every place, the one before it, itself, and the one after it, in an order of all places.

    Returns:
        (3, L + 1) indices; L stands for none, and has none before or after it.
    """
    none = order.new_full((1,), len(order))
    chain = torch.cat([none, order, none])
    table = none.expand(3, len(order) + 1).clone()
    for step in range(3):
        table[step, order] = chain[step : step + len(order)]
    return table


def _fuse_along_rows(before: Tensor, total: Tensor, after: Tensor) -> Tensor:
    """Add the scores (B, n, L) of the queries before and after to the queries' own, in place, one key further each."""
    total[..., 1:] += before[..., :-1]
    total[..., :-1] += after[..., 1:]
    return total


def _fuse_along_columns(before: Tensor, total: Tensor, after: Tensor) -> Tensor:
    """Do the same with keys in columns: (B, n, h, w). Below the last of a column comes the first of the next."""
    total[..., 1:, :] += before[..., :-1, :]
    total[..., 0, 1:] += before[..., -1, :-1]
    total[..., :-1, :] += after[..., 1:, :]
    total[..., -1, :-1] += after[..., 0, 1:]
    return total
