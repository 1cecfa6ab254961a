"""`product-image check`: whether ads keep the rules of the platforms they are for."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.files import RECORD
from cli.output import exit_if_failed, show
from common.labels import SOURCE_TYPES, carries_credentials
from common.platforms import PictureRule, Platform, platforms
from common.words import half_widths

PICTURES = (".jpg", ".jpeg", ".png", ".webp")
TEXTS = "texts.csv"


@dataclass(frozen=True)
class Violation:
    """A rule that a file breaks."""

    platform: str
    file: str
    problem: str


def check(
    folder: Annotated[
        Path, typer.Argument(exists=True, file_okay=False, help="Unpacked ads, with a folder for each platform.")
    ],
) -> None:
    """Check ads against the rules of their platforms: sizes, weights, formats, texts, and where words stand."""
    found = [asdict(one) for one in violations(folder)]
    checked = [name for name in platforms() if (folder / name).is_dir()]
    if not checked:
        found = [asdict(Violation("", str(folder), f"has no folder of a platform ({', '.join(platforms())})"))]
    lines = [f"{one['file']}: {one['problem']}" for one in found]
    show(found, [*lines, f"{len(found)} violations in the ads for {', '.join(checked) or 'no platform'}"])
    exit_if_failed(bool(found))


def violations(folder: Path) -> Iterator[Violation]:
    """Return every rule that the ads in a folder break."""
    placed = _placed(folder / RECORD)
    for name, platform in platforms().items():
        if (folder / name).is_dir():
            yield from _of_pictures(platform, folder / name, placed)
            yield from _of_texts(platform, folder / name / TEXTS)


def _placed(record: Path) -> dict[str, list[dict[str, Any]]]:
    """Return where words stand, by the size of the picture, as the record says."""
    try:
        entries = json.loads(record.read_text(encoding="utf-8")).get("placed", [])
    except (OSError, ValueError, AttributeError):
        return {}
    return {entry["picture"]: entry["elements"] for entry in entries}


def _of_pictures(platform: Platform, folder: Path, placed: dict[str, list[dict[str, Any]]]) -> Iterator[Violation]:
    rules, found = {rule.name: rule for rule in platform.pictures}, set()
    for file in sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURES):
        size, file_format = _size_and_format(file)
        found.add(size)
        problems = _problems(platform, rules.get(size), size, file_format, file.stat().st_size)
        for problem in (*problems, *_label_problems(file.read_bytes(), file_format)):
            yield Violation(platform.name, f"{platform.name}/{file.name}", problem)
        for element in placed.get(size, []):
            if size in rules and not _is_inside(element["box"], rules[size]):
                problem = f"its {element['element']} is outside the safe zone"
                yield Violation(platform.name, f"{platform.name}/{file.name}", problem)
    for rule in platform.pictures:
        if rule.required and rule.name not in found:
            yield Violation(platform.name, platform.name, f"has no picture of {rule.name}, which is required")


def _size_and_format(file: Path) -> tuple[str, str]:
    """Return the size of a picture, such as "300x250", and its format; both empty if it is not one."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(file) as picture:
            return f"{picture.width}x{picture.height}", str(picture.format).lower()
    except (UnidentifiedImageError, OSError):
        return "", ""


def _problems(platform: Platform, rule: PictureRule | None, size: str, file_format: str, weight: int) -> Iterator[str]:
    if not size:
        yield "is no picture"
    elif rule is None:
        yield f"has {size} pixels, which {platform.title} does not take"
    else:
        if file_format not in platform.formats:
            yield f"is {file_format}: {platform.title} takes {' and '.join(platform.formats)}"
        if weight > rule.bytes:
            yield f"has {weight} bytes, more than {rule.bytes}"


def _label_problems(file: bytes, file_format: str) -> Iterator[str]:
    """Return what is wrong with the label and the credentials of a picture."""
    if file_format and SOURCE_TYPES.encode() not in file:
        yield "has no label that says how it was made"
    if carries_credentials(file):
        state = _credentials(file, file_format)
        if state not in ("Valid", "Trusted", ""):
            yield f"has content credentials that do not hold: {state}"


def _credentials(file: bytes, file_format: str) -> str:
    """Return the state of a picture's content credentials; empty if c2pa-python is not installed."""
    try:
        import c2pa
    except ImportError:
        return ""
    try:
        with c2pa.Reader(f"image/{file_format}", io.BytesIO(file)) as reader:
            return str(reader.get_validation_state())
    except c2pa.C2paError as error:
        return str(error)


def _is_inside(box: dict[str, int], rule: PictureRule) -> bool:
    outside = (1 - rule.middle) / 2
    across, above, below = outside * rule.width, max(outside, rule.top), max(outside, rule.bottom)
    return (
        box.get("left", 0) >= across - 1
        and box["right"] <= rule.width - across + 1
        and box.get("top", 0) >= above * rule.height - 1
        and box["bottom"] <= rule.height * (1 - below) + 1
    )


def _of_texts(platform: Platform, file: Path) -> Iterator[Violation]:
    texts = _read_texts(file)
    for field in dict.fromkeys([*platform.texts, *texts]):
        for problem in _text_problems(platform, field, texts.get(field, [])):
            yield Violation(platform.name, f"{platform.name}/{TEXTS}", problem)


def _read_texts(file: Path) -> dict[str, list[str]]:
    texts: dict[str, list[str]] = {}
    if file.is_file():
        with file.open(encoding="utf-8-sig", newline="") as stream:
            for row in csv.DictReader(stream):
                texts.setdefault(row.get("field") or "", []).append(row.get("text") or "")
    return texts


def _text_problems(platform: Platform, field: str, texts: list[str]) -> Iterator[str]:
    rule = platform.texts.get(field)
    if rule is None:
        yield f"{platform.title} has no field {field!r}"
        return
    if not rule.least <= len(texts) <= rule.most:
        yield f"has {len(texts)} {field}, not {rule.least} to {rule.most}"
    if len(set(texts)) < len(texts):
        yield f"has the same {field} twice"
    for text in texts:
        if half_widths(text) > rule.width:
            yield f"{field} has {half_widths(text)} half-widths, more than {rule.width}"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(check)
