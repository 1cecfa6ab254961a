"""Go templates out of trees: YAML with branches as conditions, and values of the chart in the place of texts."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from deploy.chart.merge import MISSING, Branches, Node

PLAIN = re.compile(r"^[A-Za-z][\w./-]*$")
NOT_TEXTS = ("true", "false", "null", "yes", "no", "on", "off", "y", "n")
"""What YAML takes for something else."""


@dataclass(frozen=True)
class Value:
    """A scalar that the chart computes.

    Attributes:
        expression: In Go's template language.
    """

    expression: str


@dataclass(frozen=True)
class Given:
    """The value of a key that users of the chart may give as YAML; without it, there is no such key.

    Attributes:
        expression: In Go's template language.
    """

    expression: str


def emit(node: Node) -> str:
    """Return the template of an object, which may be there under a condition only."""
    lines = _branches(node, partial(_mapping, depth=0)) if isinstance(node, Branches) else _mapping(node, 0)
    return "".join(f"{line}\n" for line in lines)


def _mapping(node: dict[str, Node], depth: int) -> Iterator[str]:
    for key, value in node.items():
        if isinstance(value, Branches):
            yield from _branches(value, partial(_entry, key, depth=depth))
        else:
            yield from _entry(key, value, depth)


def _entry(key: str, value: Node, depth: int) -> Iterator[str]:
    pad, name = "  " * depth, _scalar(key)
    if isinstance(value, Given):
        yield f"{{{{- with {value.expression} }}}}"
        yield f"{pad}{name}: {{{{- toYaml . | nindent {2 * depth + 2} }}}}"
        yield "{{- end }}"
    elif isinstance(value, dict) and value:
        yield f"{pad}{name}:"
        yield from _mapping(value, depth + 1)
    elif isinstance(value, list) and value:
        yield f"{pad}{name}:"
        yield from _list(value, depth + 1)
    else:
        yield f"{pad}{name}: {_scalar(value)}"


def _list(node: list[Node], depth: int) -> Iterator[str]:
    for value in node:
        if isinstance(value, Branches):
            yield from _branches(value, partial(_item, depth=depth))
        else:
            yield from _item(value, depth)


def _item(value: Node, depth: int) -> Iterator[str]:
    pad = "  " * depth
    if isinstance(value, dict) and value:
        first, *others = _mapping(value, depth + 1)
        yield from (f"{pad}- {first.lstrip()}",) if first.startswith(" ") else (f"{pad}-", first)
        yield from others
    else:
        yield f"{pad}- {_scalar(value)}"


def _branches(branches: Branches, lines: Callable[[Node], Iterator[str]]) -> Iterator[str]:
    word = "if"
    for condition, node in branches.cases:
        if node is MISSING and branches.otherwise is not MISSING and len(branches.cases) == 1:
            yield f"{{{{- if not ({condition}) }}}}"
            yield from lines(branches.otherwise)
            yield "{{- end }}"
            return
        yield f"{{{{- {word} {condition} }}}}"
        if node is not MISSING:
            yield from lines(node)
        word = "else if"
    if branches.otherwise is not MISSING:
        yield "{{- else }}"
        yield from lines(branches.otherwise)
    yield "{{- end }}"


def _scalar(value: Node) -> str:
    if isinstance(value, Value):
        return f"{{{{ {value.expression} }}}}"
    if isinstance(value, str) and PLAIN.match(value) and value.lower() not in NOT_TEXTS:
        return value
    return json.dumps(value, ensure_ascii=False).replace("{{", '{{ "{{" }}')
