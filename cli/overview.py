"""Overview picture of a run: photo, cutout and ads side by side."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

HEIGHT = 480
GAP = 16
CHECK = 12
GROUND = (255, 255, 255)
CHECKS = ((255, 255, 255), (222, 222, 226))


def write_overview(photo: Path, cutout: Path, ads: Sequence[Path], target: Path) -> None:
    """Write the overview, a JPEG file.

    Args:
        photo: Product photo.
        cutout: Its cutout, with transparency; shown on a checkerboard.
        ads: Ads; shown at their true size.
        target: File to write.
    """
    pictures = [_scaled(Image.open(photo).convert("RGB")), _on_checks(_scaled(Image.open(cutout)))]
    pictures += [Image.open(ad).convert("RGB") for ad in ads]
    width = sum(picture.width for picture in pictures) + GAP * (len(pictures) + 1)
    sheet = Image.new("RGB", (width, HEIGHT + 2 * GAP), GROUND)
    left = GAP
    for picture in pictures:
        sheet.paste(picture, (left, GAP + (HEIGHT - picture.height) // 2))
        left += picture.width + GAP
    sheet.save(target, "JPEG", quality=88)


def _scaled(picture: Image.Image) -> Image.Image:
    return picture.resize((round(picture.width * HEIGHT / picture.height), HEIGHT), Image.Resampling.LANCZOS)


def _on_checks(cutout: Image.Image) -> Image.Image:
    columns, rows = -(-cutout.width // CHECK), -(-cutout.height // CHECK)
    board = Image.new("RGB", (columns, rows))
    board.putdata([CHECKS[(row + column) % 2] for row in range(rows) for column in range(columns)])
    ground = board.resize((columns * CHECK, rows * CHECK), Image.Resampling.NEAREST).crop((0, 0, *cutout.size))
    ground.paste(cutout, mask=cutout.getchannel("A"))
    return ground
