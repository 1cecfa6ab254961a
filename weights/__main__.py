"""`python -m weights list | fetch NAME... | verify | convert FILE`."""

import shutil
from pathlib import Path
from typing import Annotated

import typer

from weights.convert import ConvertError, convert
from weights.fetch import FetchError, Packages, fetch
from weights.manifest import FOLDER, MANIFEST, read_manifest

app = typer.Typer(add_completion=False, help="Model weights: list, fetch, verify, convert.")

Folder = Annotated[Path, typer.Option("--folder", envvar="WEIGHTS_DIR", help="Folder of the files.")]


@app.command("list")
def list_weights(folder: Folder = FOLDER) -> None:
    """List every file: its size, licence and purpose, and whether it is present."""
    for name, weight in read_manifest().items():
        state = "present" if weight.path(folder).is_file() else "missing"
        typer.echo(f"{name:18} {weight.bytes / 1e6:6.1f} MB  {state:9} {weight.licence:11} {weight.purpose}")


@app.command("fetch")
def fetch_weights(
    names: Annotated[
        list[str] | None, typer.Argument(help="Names from the list; without them, the default files.")
    ] = None,
    folder: Folder = FOLDER,
    mirror: Annotated[
        str | None,
        typer.Option(envvar="WEIGHTS_MIRROR", help="Tried first: a folder, or a prefix such as s3://bucket/weights."),
    ] = None,
) -> None:
    """Fetch files that are missing."""
    manifest = read_manifest()
    unknown = set(names or ()) - manifest.keys()
    if unknown:
        raise typer.BadParameter(f"not in the list: {', '.join(sorted(unknown))}. There are: {', '.join(manifest)}")
    folder.mkdir(parents=True, exist_ok=True)
    if folder.resolve() != FOLDER.resolve():  # services look up the hashes beside the files
        shutil.copy(FOLDER / MANIFEST, folder)
    failed = False
    with Packages() as packages:
        for name in names or [name for name, weight in manifest.items() if weight.default]:
            try:
                path = fetch(manifest[name], typer.echo, folder, mirror, packages)
            except FetchError as error:
                typer.echo(str(error), err=True)
                failed = True
            else:
                typer.echo(f"{name}: {path}")
    if failed:
        raise typer.Exit(1)


@app.command("verify")
def verify_weights(folder: Folder = FOLDER) -> None:
    """Check every present file against its hash; missing files are listed, but are not an error."""
    damaged = False
    for name, weight in read_manifest().items():
        path = weight.path(folder)
        state = (
            "ok" if weight.fits(path) else "missing" if not path.exists() else "DAMAGED: remove it and fetch it again"
        )
        damaged |= state.startswith("DAMAGED")
        typer.echo(f"{name:18} {state}")
    if damaged:
        raise typer.Exit(1)


@app.command("convert")
def convert_weights(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A .index of TensorFlow, or an .h5.")],
    folder: Folder = FOLDER,
) -> None:
    """Convert weights of DeepFill v2 (TensorFlow) or Mask R-CNN (matterport) to safetensors."""
    try:
        typer.echo(f"converted: {convert(file, folder)}")
    except ConvertError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


if __name__ == "__main__":
    app()
