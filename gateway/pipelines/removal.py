"""Finding what stands in a picture, and removing what stands where the product goes."""

from collections.abc import Sequence

from gateway.pipelines.run import Run, set_engine
from productimage.image.v1 import image_pb2
from productimage.inpainting.v1 import inpainting_pb2
from productimage.provenance.v1 import provenance_pb2
from productimage.segmentation.v1 import segmentation_pb2


async def find_objects(
    run: Run, stage: provenance_pb2.Stage, picture: image_pb2.Image, digest: str, *, everywhere: bool
) -> segmentation_pb2.FindObjectsResponse:
    """Find what stands in a picture.

    Args:
        run: The run.
        stage: Its stage; its output is one digest of all masks.
        picture: The picture.
        digest: Digest of its pixels.
        everywhere: Whether anything may be in the way, not only what is most salient.
    """
    found = await run.clients.segmentation.find_objects(picture, everywhere=everywhere)
    set_engine(stage, found.engine)
    stage.inputs.append(digest)
    masks = await run.sha256(*(thing.region.mask for thing in found.objects))
    stage.outputs.extend(await run.sha256("".join(masks)))
    return found


async def remove_objects(
    run: Run, stage: provenance_pb2.Stage, picture: image_pb2.Image, digest: str, objects: Sequence[image_pb2.Region]
) -> inpainting_pb2.RemoveObjectsResponse:
    """Remove objects from a picture.

    Args:
        run: The run.
        stage: Its stage.
        picture: The picture; it is returned as a file, too.
        digest: Digest of its pixels.
        objects: What to remove.
    """
    cleared = await run.clients.inpainting.remove_objects(picture, objects, keep_picture=True)
    set_engine(stage, cleared.engine)
    stage.inputs.extend([digest, *await run.sha256(*(one.mask for one in objects))])
    stage.outputs.extend(await run.sha256(cleared.picture))
    return cleared
