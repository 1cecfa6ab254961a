"""`python -m weights list | fetch NAME... | verify`."""

from pathlib import Path
from typing import Annotated

import typer

from weights.fetch import FetchError, fetch
from weights.manifest import FOLDER, read_manifest

app = typer.Typer(add_completion=False, help="The model weights: list, fetch, verify.")

Folder = Annotated[Path, typer.Option("--folder", envvar="WEIGHTS_DIR", help="Where the files lie.")]


@app.command("list")
def list_weights(folder: Folder = FOLDER) -> None:
    """List every file: its size, licence and purpose, and whether it is in place."""
    for name, weight in read_manifest().items():
        state = "in place" if weight.path(folder).is_file() else "missing"
        typer.echo(f"{name:12} {weight.bytes / 1e6:6.1f} MB  {state:9} {weight.licence:11} {weight.purpose}")


@app.command("fetch")
def fetch_weights(
    names: Annotated[list[str] | None, typer.Argument(help="Names from the list; none: the default ones.")] = None,
    folder: Folder = FOLDER,
    mirror: Annotated[
        str | None,
        typer.Option(envvar="WEIGHTS_MIRROR", help="Asked first: a folder, or a prefix such as s3://bucket/weights."),
    ] = None,
) -> None:
    """Fetch files that are not in place yet."""
    manifest = read_manifest()
    unknown = set(names or ()) - manifest.keys()
    if unknown:
        raise typer.BadParameter(f"not in the list: {', '.join(sorted(unknown))}. There are: {', '.join(manifest)}")
    failed = False
    for name in names or [name for name, weight in manifest.items() if weight.default]:
        try:
            path = fetch(manifest[name], typer.echo, folder, mirror)
        except FetchError as error:
            typer.echo(str(error), err=True)
            failed = True
        else:
            typer.echo(f"{name}: {path}")
    if failed:
        raise typer.Exit(1)


@app.command("verify")
def verify_weights(folder: Folder = FOLDER) -> None:
    """Check every file in place against its hash; missing ones are named, but are no error."""
    damaged = False
    for name, weight in read_manifest().items():
        path = weight.path(folder)
        state = (
            "ok" if weight.fits(path) else "missing" if not path.exists() else "DAMAGED: remove it and fetch it again"
        )
        damaged |= state.startswith("DAMAGED")
        typer.echo(f"{name:12} {state}")
    if damaged:
        raise typer.Exit(1)


if __name__ == "__main__":
    app()
