"""`product-image cutout`: cut products out of photos."""

from pathlib import Path
from typing import Annotated

import typer

from cli.client import Body, Client, GatewayError
from cli.output import exit_if_failed, run, screen, show


def cutout(
    photos: Annotated[
        list[Path],
        typer.Argument(exists=True, dir_okay=False, help="Photos: PNG, JPEG, WebP, HEIC, AVIF, TIFF, BMP or GIF."),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", file_okay=False, help="Folder for the results.")] = Path(),
    point: Annotated[list[str] | None, typer.Option(help="A point on the product, as X,Y in pixels.")] = None,
    box: Annotated[str, typer.Option(help="Around the product, as LEFT,TOP,RIGHT,BOTTOM in pixels.")] = "",
) -> None:
    """Cut the product out of photos; writes {name}_cutout.png for each."""
    if len({photo.stem for photo in photos}) < len(photos):
        raise typer.BadParameter("two photos have the same name, and so would their cut-outs")
    points = [dict(zip("xy", _numbers(text, 2, "--point"), strict=True)) for text in point or []]
    edges = dict(zip(("left", "top", "right", "bottom"), _numbers(box, 4, "--box"), strict=True)) if box else None

    async def work(client: Client) -> list[Body]:
        return [await _cut_out(client, photo, out, {"points": points, "box": edges}) for photo in photos]

    results = run(work)
    show(results, [line for result in results for line in _lines(result)])
    exit_if_failed(any("error" in result for result in results))


async def _cut_out(client: Client, photo: Path, out: Path, prompt: Body) -> Body:
    target = out / f"{photo.stem}_cutout.png"
    try:
        with screen.status(f"cutting out {photo} ..."):
            upload = await _uploaded(client, photo, prompt)
            if any(prompt.values()):
                upload = await client.recut(upload, prompt | {"start_over": True})
            out.mkdir(parents=True, exist_ok=True)
            target.write_bytes(await client.picture(upload["trans_path"]))
    except GatewayError as error:
        if not error.status:
            raise
        return {"photo": str(photo), "error": str(error)}
    return {"photo": str(photo), "cutout": str(target), "notes": upload["notes"]}


def _lines(result: Body) -> list[str]:
    told = f"{result['photo']}: {result.get('cutout') or result['error']}"
    return [told, *(f"  {note['en']}" for note in result.get("notes", []))]


async def _uploaded(client: Client, photo: Path, prompt: Body) -> Body:
    """Upload a photo. If nothing is found in it, the prompt may say where the product is."""
    try:
        return await client.upload(photo)
    except GatewayError as error:
        if "timestamp" in error.body and any(prompt.values()):
            return error.body
        raise


def _numbers(text: str, count: int, option: str) -> list[int]:
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != count:
        raise typer.BadParameter(f"{option} takes {count} whole numbers separated by commas")
    return numbers


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(cutout)
