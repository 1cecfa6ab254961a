"""One tree out of several variants: where they differ, a branch says under which condition which holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Node = Any


class _Missing:
    """What a variant does not have."""


MISSING: Final = _Missing()


@dataclass(frozen=True)
class Branches:
    """Alternatives.

    Attributes:
        cases: Conditions and what holds under them; the first that is met counts.
        otherwise: What holds under none of them, perhaps MISSING.
    """

    cases: tuple[tuple[str, Node], ...]
    otherwise: Node


def merge(base: Node, variants: Mapping[str, Node]) -> Node:
    """Merge variants with what they vary.

    Args:
        base: What holds if no condition is met.
        variants: What holds under a condition.
    """
    changed = {condition: node for condition, node in variants.items() if node != base}
    if not changed:
        return base
    nodes = [base, *changed.values()]
    if all(isinstance(node, dict) for node in nodes):
        return _merged(base, changed)
    if all(_is_named(node) for node in nodes):
        by_name = {condition: {one["name"]: one for one in node} for condition, node in changed.items()}
        return list(_merged({one["name"]: one for one in base}, by_name).values())
    if isinstance(base, list) and all(isinstance(one, list) and one[: len(base)] == base for one in changed.values()):
        rest = {condition: node[len(base) :] for condition, node in changed.items()}
        return [*base, *(Branches(((condition, one),), MISSING) for condition, new in rest.items() for one in new)]
    return Branches(_cases(changed), base)


def _merged(base: Mapping[str, Node], variants: Mapping[str, Mapping[str, Node]]) -> dict[str, Node]:
    keys = dict.fromkeys(key for node in (base, *variants.values()) for key in node)
    return {
        key: merge(base.get(key, MISSING), {condition: node.get(key, MISSING) for condition, node in variants.items()})
        for key in keys
    }


def _is_named(node: Node) -> bool:
    return isinstance(node, list) and bool(node) and all(isinstance(one, dict) and "name" in one for one in node)


def _cases(variants: Mapping[str, Node]) -> tuple[tuple[str, Node], ...]:
    """Return the variants, those that are equal under one condition."""
    alike: list[tuple[list[str], Node]] = []
    for condition, node in variants.items():
        same = next((conditions for conditions, other in alike if other == node), None)
        if same is not None:
            same.append(condition)
        else:
            alike.append(([condition], node))
    return tuple((_either(conditions), node) for conditions, node in alike)


def _either(conditions: Sequence[str]) -> str:
    return conditions[0] if len(conditions) == 1 else f"or {' '.join(conditions)}"
