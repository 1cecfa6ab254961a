"""`product-image generate`: make ads and copy from one photo."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress

from cli.client import Body, Brief, Client
from cli.files import save
from cli.output import progress_bar, run, show


def generate(
    photo: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, help="A photo: PNG, JPEG, WebP, HEIC, AVIF, TIFF, BMP or GIF."),
    ],
    name: Annotated[str, typer.Option(help="Product name.")],
    describe: Annotated[str, typer.Option(help="Product description.")] = "",
    audience: Annotated[str, typer.Option(help="gender,age,interest, such as female,25-34,outdoor.")] = "",
    sizes: Annotated[str, typer.Option(help="Platforms and sizes, such as google,meta,728x90.")] = "",
    locale: Annotated[str, typer.Option(help="Language of the copy: zh-TW or en.")] = "",
    texts: Annotated[str, typer.Option(help="Further platforms whose text fields are wanted, such as line.")] = "",
    headline: Annotated[str, typer.Option(help="Headline on the ads.")] = "",
    call_to_action: Annotated[str, typer.Option(help="Button on the ads.")] = "",
    price: Annotated[str, typer.Option(help="Price or badge on the ads.")] = "",
    legal: Annotated[str, typer.Option(help="Legal line on the ads.")] = "",
    layout: Annotated[
        str,
        typer.Option(help="Where words stand: auto (words of the copy), left, right, top, bottom or none."),
    ] = "",
    brand: Annotated[str, typer.Option(help="Name of a stored brand.")] = "",
    file_format: Annotated[str, typer.Option("--format", help="File format: jpeg, webp or png.")] = "",
    scene: Annotated[str, typer.Option(help="What the picture around the product is to show, in your words.")] = "",
    avoid: Annotated[str, typer.Option(help="What it is not to show.")] = "",
    style: Annotated[str, typer.Option(help="Style of the picture, such as seaside; see docs/ads.md.")] = "",
    background: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Picture of your own to use as the background.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", file_okay=False, help="Folder for the results.")] = Path("ads"),
) -> None:
    """Make ads and copy from one photo."""
    options = (texts, headline, call_to_action, price, legal, layout, brand, file_format, scene, avoid, style)
    brief = Brief(name, describe, audience, sizes, locale, background, *options)

    async def work(client: Client) -> Body:
        with progress_bar() as progress:
            bar = progress.add_task("cutting out", total=1.0)
            await client.estimate(brief)  # what is wrong with the sizes is told before anything is made
            upload = await client.upload(photo)
            record = await client.generate(upload, brief, lambda stage: _advance(progress, bar, stage))
            progress.update(bar, completed=1.0, description="done")
        files = await save(record, client, out)
        return {"record": record, "files": [str(file) for file in files]}

    made = run(work)
    show(made, [*made["files"], "", made["record"]["short_ad"], "", made["record"]["long_ad"]])


def _advance(progress: Progress, bar: Any, stage: Body) -> None:
    progress.update(bar, completed=stage["fraction"], description=f"{stage['name']} {stage['engine']}".strip())


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(generate)
