"""`product-image`: cut out, generate, work a catalogue off, look things up, and find out what is wrong.

Exit codes: 0 everything worked; 1 something of what was asked failed; 2 the command itself is wrong; 3 there is no
gateway and none could be started.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from contextlib import chdir
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from deploy.cli.batch import CatalogueError, Outcome, read_catalogue, run_batch
from deploy.cli.client import Body, Brief, Client, GatewayError
from deploy.cli.doctor import Finding, examine
from deploy.cli.files import save
from deploy.cli.session import LOCAL, gateway
from deploy.local.supervisor import ROOT, LocalError
from weights.__main__ import app as weights

FAILED, NO_GATEWAY = 1, 3
T = TypeVar("T")

app = typer.Typer(name="product-image", no_args_is_help=True, help=__doc__, rich_markup_mode=None)
app.add_typer(weights, name="weights")
screen = Console(stderr=True)


@dataclass
class _Options:
    """Those of every command."""

    gateway: str = ""
    key: str = ""
    json: bool = False


options = _Options()

Photos = Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="PNG, JPEG or WebP files.")]
Photo = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A PNG, JPEG or WebP file.")]
Out = Annotated[Path, typer.Option("--out", "-o", file_okay=False, help="The folder for what is made.")]


@app.callback()
def common(
    gateway: Annotated[
        str,
        typer.Option(
            envvar="PRODUCT_IMAGE_GATEWAY",
            help="Its address; without one, the gateway on this machine, or one that is started for the while.",
        ),
    ] = "",
    key: Annotated[str, typer.Option(envvar="PRODUCT_IMAGE_KEY", help="The API key, if the gateway wants one.")] = "",
    json: Annotated[bool, typer.Option("--json", help="Write the result to standard output as JSON.")] = False,
) -> None:
    """Take the options of every command."""
    options.gateway, options.key, options.json = gateway.rstrip("/"), key, json


@app.command()
def cutout(
    photos: Photos,
    out: Out = Path(),
    point: Annotated[list[str] | None, typer.Option(help="A place on the product, as X,Y in pixels.")] = None,
    box: Annotated[str, typer.Option(help="Around the product, as LEFT,TOP,RIGHT,BOTTOM in pixels.")] = "",
) -> None:
    """Cut the product out of photos; writes {name}_cutout.png for each."""
    if len({photo.stem for photo in photos}) < len(photos):
        raise typer.BadParameter("two of the photos have the same name: their cut-outs would, too")
    points = [dict(zip("xy", _numbers(text, 2, "--point"), strict=True)) for text in point or []]
    edges = dict(zip(("left", "top", "right", "bottom"), _numbers(box, 4, "--box"), strict=True)) if box else None

    async def work(client: Client) -> list[Body]:
        return [await _cut(client, photo, out, points, edges) for photo in photos]

    results = _run(work)
    _show(results, [f"{result['photo']}: {result.get('cutout') or result['error']}" for result in results])
    _exit_if(any("error" in result for result in results))


async def _cut(client: Client, photo: Path, out: Path, points: list[Body], box: Body | None) -> Body:
    target = out / f"{photo.stem}_cutout.png"
    try:
        with screen.status(f"cutting {photo} out ..."):
            upload = await client.upload(photo)
            if points or box:
                await client.cut_again(upload, points, box)
            out.mkdir(parents=True, exist_ok=True)
            target.write_bytes(await client.picture(upload["trans_path"]))
    except GatewayError as error:
        return _failure({"photo": str(photo)}, error)
    return {"photo": str(photo), "cutout": str(target)}


@app.command()
def generate(
    photo: Photo,
    name: Annotated[str, typer.Option(help="The product's.")],
    describe: Annotated[str, typer.Option(help="What it is and does.")] = "",
    audience: Annotated[str, typer.Option(help="gender,age,interest, such as female,25-34,outdoor.")] = "",
    sizes: Annotated[str, typer.Option(help="Such as 300x250,728x90.")] = "",
    locale: Annotated[str, typer.Option(help="Of the texts: zh-TW or en.")] = "",
    background: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="One of your own.")] = None,
    out: Out = Path("ads"),
) -> None:
    """Make ads and texts of one photo."""
    brief = Brief(name, describe, audience, sizes, locale, background)

    async def work(client: Client) -> Body:
        with _progress() as progress:
            bar = progress.add_task("cutting out", total=1.0)
            upload = await client.upload(photo)
            record = await client.generate(upload, brief, lambda stage: _advance(progress, bar, stage))
            progress.update(bar, completed=1.0, description="done")
        files = await save(record, client, out)
        return {"record": record, "files": [str(file) for file in files]}

    made = _run(work)
    _show(made, [*made["files"], "", made["record"]["short_ad"], "", made["record"]["long_ad"]])


def _advance(progress: Progress, bar: Any, stage: Body) -> None:
    progress.update(bar, completed=stage["fraction"], description=f"{stage['name']} {stage['engine']}".strip())


@app.command()
def batch(
    catalogue: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV: photo, name, describe, ...")],
    out: Out = Path("ads"),
    parallel: Annotated[int, typer.Option(min=1, max=32, help="Products worked on at one time.")] = 4,
) -> None:
    """Make the ads of a catalogue, one product a line; run again, it does only what is missing.

    Columns: photo and name; if you like describe, audience, sizes, locale and background. report.csv tells what became
    of each line.
    """
    try:
        products = read_catalogue(catalogue)
    except CatalogueError as error:
        screen.print(str(error), style="red", markup=False, soft_wrap=True)
        raise typer.Exit(2) from None

    async def work(client: Client) -> list[Outcome]:
        with _progress(MofNCompleteColumn()) as progress:
            bar = progress.add_task("products", total=len(products))
            return await run_batch(products, client, out, parallel, lambda _: progress.advance(bar))

    outcomes = _run(work)
    failed = [outcome for outcome in outcomes if outcome.status != "done"]
    lines = [f"line {outcome.line}, {outcome.name}: {outcome.error}" for outcome in failed]
    _show(
        [asdict(outcome) for outcome in outcomes],
        [*lines, f"{len(outcomes) - len(failed)} of {len(outcomes)} done: {out / 'report.csv'}"],
    )
    _exit_if(bool(failed))


@app.command()
def history(
    query: Annotated[str, typer.Argument(help="What names or texts hold; none: any.")] = "",
    most: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many, the newest first.")] = 20,
    archive: Annotated[int | None, typer.Option(help="Save the record of this number as a zip file.")] = None,
    out: Out = Path(),
) -> None:
    """Look through what was made, newest first; or take one record away as a file."""
    if archive is not None:
        target = out / f"ads-{archive}.zip"
        packed = _run(lambda client: client.archive(archive))
        out.mkdir(parents=True, exist_ok=True)
        target.write_bytes(packed)
        _show({"archive": str(target)}, [str(target)])
        return
    records = _run(lambda client: client.records(query, most))
    if options.json:
        _show(records, [])
        return
    table = Table("number", "made", "product", "audience", "short text")
    for record in records:
        named = (record["write_date"], record["product_name"], record["target_audience"], record["short_ad"])
        table.add_row(str(record["sequence"]), *named)
    Console().print(table)


@app.command()
def doctor() -> None:
    """Check ports, services, weights, room, S3 rights, Bedrock access and keys; say how to mend what is wrong."""
    findings = []
    with chdir(ROOT):  # where the processes read their settings
        for finding in examine(options.gateway or LOCAL):
            findings.append(finding)
            if not options.json:
                _tell(finding)
    if options.json:
        _show([asdict(finding) for finding in findings], [])
    _exit_if(not all(finding.ok for finding in findings))


def _tell(finding: Finding) -> None:
    console = Console()
    console.print("[green]ok[/] " if finding.ok else "[red]!![/] ", end="")
    fix = f"\n   fix: {finding.fix}" if finding.fix else ""
    console.print(f"{finding.subject}: {finding.detail}{fix}", markup=False, highlight=False, soft_wrap=True)


def _run(work: Callable[[Client], Awaitable[T]]) -> T:
    """Run some work with a gateway; what it refuses ends the command with one line."""

    async def with_gateway() -> T:
        async with gateway(options.gateway, options.key, lambda line: screen.print(line, markup=False)) as client:
            return await work(client)

    try:
        return asyncio.run(with_gateway())
    except GatewayError as error:
        _complain(str(error), FAILED if error.status else NO_GATEWAY)
    except LocalError as error:
        _complain(f"The system could not be started: {error}", NO_GATEWAY)
    except OSError as error:
        _complain(f"{error.filename} cannot be used: {error.strerror}.", FAILED)


def _complain(text: str, code: int) -> NoReturn:
    if options.json:
        sys.stdout.write(json.dumps({"error": text}, ensure_ascii=False) + "\n")
    else:
        screen.print(text, style="red", markup=False, soft_wrap=True)
    raise typer.Exit(code)


def _failure(known: Body, error: GatewayError) -> Body:
    if not error.status:
        raise error
    return known | {"error": str(error)}


def _show(result: Any, lines: list[str]) -> None:
    text = json.dumps(result, ensure_ascii=False, indent=2) if options.json else "\n".join(lines)
    sys.stdout.write(text + "\n")


def _exit_if(failed: bool) -> None:
    if failed:
        raise typer.Exit(FAILED)


def _progress(*columns: Any) -> Progress:
    shown = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), *columns, TimeElapsedColumn())
    return Progress(*shown, console=screen)


def _numbers(text: str, count: int, option: str) -> list[int]:
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != count:
        raise typer.BadParameter(f"{option} takes {count} whole numbers with commas between them")
    return numbers


if __name__ == "__main__":
    app(prog_name="product-image")
