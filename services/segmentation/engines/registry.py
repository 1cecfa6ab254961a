"""Selection of the segmentation engines, once at start, by settings and by the weights that are present.

Engines are imported where they are selected, so that a process without torch can run GrabCut.
"""

from typing import TYPE_CHECKING

import structlog

from common.errors import StartError
from common.models.weights import first_file
from common.serving.engines import Choice, EngineRegistry, Reason
from services.segmentation.engines.base import Detector, Engines, SaliencyFinder, Segmenter
from services.segmentation.settings import SegmentationSettings

if TYPE_CHECKING:
    from services.segmentation.engines.soft_net import NetFile

log = structlog.get_logger()

SAM_FILES = {
    "vit_h": "sam_vit_h_4b8939.pth",
    "vit_l": "sam_vit_l_0b3195.pth",
    "vit_b": "sam_vit_b_01ec64.pth",
    "mobile_sam": "mobile_sam.pt",
}
"""Checkpoints of Segment Anything, best first."""
BEST_SAM = next(iter(SAM_FILES))
MASK_RCNN_FILES = ("maskrcnn_*.pth", "mask_rcnn_*.safetensors")
"""torchvision's checkpoints, and converted ones of matterport's."""
BEST_MASK_RCNN = "maskrcnn_resnet50_fpn_v2_coco-73cbd019.pth"
UNCONVERTED = "mask_rcnn_*.h5"
NET, BEST_NET = "u2netp.onnx", "u2net"
FILES_OF_OTHERS = frozenset({"migan_pipeline_v2.onnx"})
"""ONNX files among the weights that are no cut-out networks."""
FINDER = "SEGMENTATION_OBJECT_FINDER"
FETCH = "python -m weights fetch"


def load_engines(settings: SegmentationSettings, registry: EngineRegistry) -> Engines:
    """Load the configured engines and report the choices.

    Raises:
        StartError: An engine is named in the settings but its weights are missing, or a weights file is damaged.
    """
    registry.note_facts(packages=["numpy", "opencv-python-headless"])
    try:
        saliency = _load_saliency(settings, registry)
        segmenter = _load_segmenter(settings, registry, has_saliency=saliency is not None)
        return Engines(segmenter, saliency, _load_detector(settings, registry, segmenter))
    except ValueError as error:
        raise StartError(str(error)) from None


def _load_segmenter(settings: SegmentationSettings, registry: EngineRegistry, *, has_saliency: bool) -> Segmenter:
    from services.segmentation.engines.grabcut import GrabCut

    if settings.engine == GrabCut.name:
        registry.report_choice(Choice("cut_out", GrabCut.name, Reason.REQUESTED, "SEGMENTATION_ENGINE"))
        return GrabCut()
    names = list(SAM_FILES) if settings.engine == "auto" else [settings.engine]
    files = [settings.weights_dir / SAM_FILES[name] for name in names]
    present = next((file for file in files if file.is_file()), None)
    # Without a saliency net nothing tells Segment Anything what to segment: prompted with the whole frame, it returns
    # the background.
    net = [] if has_saliency else [settings.weights_dir / NET]
    missing = [*([] if present else [files[-1]]), *net]
    if present is None or missing:
        lacking = " and ".join(map(str, missing))
        if settings.engine != "auto":
            remedy = f"{FETCH} {settings.engine} u2netp"
            raise StartError(f"SEGMENTATION_ENGINE={settings.engine}: {lacking} missing: {remedy}")
        registry.report_choice(Choice("cut_out", GrabCut.name, Reason.FALLBACK, lacking, FETCH))
        return GrabCut()
    from common.models.device import choose_device
    from services.segmentation.engines.sam.sam_engine import SamEngine

    engine = SamEngine.load(present, choose_device(settings), settings)
    registry.note_facts(weights=[present], packages=["torch"])
    if settings.engine == "auto":
        better = "" if engine.name == BEST_SAM else f"{FETCH} {BEST_SAM}"
        registry.report_choice(Choice("cut_out", engine.name, Reason.AVAILABLE, str(present), better))
    else:
        registry.report_choice(Choice("cut_out", engine.name, Reason.REQUESTED, "SEGMENTATION_ENGINE"))
    return engine


def _load_detector(settings: SegmentationSettings, registry: EngineRegistry, segmenter: Segmenter) -> Detector | None:
    def report(engine: str, reason: Reason, subject: str, remedy: str = "") -> None:
        registry.report_choice(Choice("object_finding", engine, reason, subject, remedy))

    if settings.object_finder == "cut_out":
        report(segmenter.name, Reason.REQUESTED, FINDER)
        return None
    present = first_file(settings.weights_dir, *MASK_RCNN_FILES)
    if present is None:
        names = " or ".join(str(settings.weights_dir / pattern) for pattern in MASK_RCNN_FILES)
        unconverted = first_file(settings.weights_dir, UNCONVERTED)
        remedy = f"python -m weights convert {unconverted}" if unconverted else ""
        if settings.object_finder == "mask_rcnn":
            raise StartError(f"SEGMENTATION_OBJECT_FINDER=mask_rcnn needs {names}: {remedy or 'put the weights there'}")
        report(segmenter.name, Reason.FALLBACK, names, remedy or str(settings.weights_dir / BEST_MASK_RCNN))
        return None
    from common.models.device import choose_device
    from services.segmentation.engines.mask_rcnn.load import load_mask_rcnn

    detector = load_mask_rcnn(present, choose_device(settings))
    registry.note_facts(weights=[present], packages=["torchvision"])
    if settings.object_finder == "mask_rcnn":
        report(detector.name, Reason.REQUESTED, FINDER)
    else:
        report(detector.name, Reason.AVAILABLE, str(present))
    return detector


def _load_saliency(settings: SegmentationSettings, registry: EngineRegistry) -> SaliencyFinder | None:
    from services.segmentation.engines.soft_net import find_nets

    nets = find_nets(settings.weights_dir, FILES_OF_OTHERS)
    if settings.net != "auto":
        file = next((one for one in nets if one.name == settings.net), None)
        if file is None:
            raise StartError(f"SEGMENTATION_NET={settings.net}: {_remedy_for(settings)}")
        if file.net.commerce != "yes":
            log.warning("the licence needs a look", net=file.name, weights=file.net.weights, data=file.net.data)
        registry.report_choice(Choice("saliency", file.name, Reason.REQUESTED, "SEGMENTATION_NET"))
        return _loaded(file, registry)
    file = next((one for one in nets if one.net.commerce == "yes"), None)
    if file is None:
        registry.report_choice(Choice("saliency", "none", Reason.FALLBACK, str(settings.weights_dir / NET), FETCH))
        return None
    better = "" if file.name == BEST_NET or file.path.with_suffix(".toml").exists() else f"{FETCH} {BEST_NET}"
    registry.report_choice(Choice("saliency", file.name, Reason.AVAILABLE, str(file.path), better))
    return _loaded(file, registry)


def _loaded(file: "NetFile", registry: EngineRegistry) -> SaliencyFinder:
    from services.segmentation.engines.soft_net import SoftNet

    registry.note_facts(weights=[file.path], packages=["onnxruntime"])
    return SoftNet.load(file)


def _remedy_for(settings: SegmentationSettings) -> str:
    from services.segmentation.engines.soft_net import known_nets

    if settings.net in known_nets():
        return f"no file in {settings.weights_dir} has its checksum: {FETCH} {settings.net}, or put it there"
    return f"put {settings.net}.onnx and {settings.net}.toml into {settings.weights_dir}"
