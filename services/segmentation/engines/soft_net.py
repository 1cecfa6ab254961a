"""Networks that give a soft mask of what stands out (U2-Net, IS-Net, BiRefNet, ...), as ONNX files on onnxruntime."""

import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import cv2
import numpy as np
import onnxruntime
import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from common.imaging.codec import Pixels
from common.models.weights import check_weights
from common.serving.threads import compute_threads
from services.segmentation.engines.base import Probability

log = structlog.get_logger()

TABLE = Path(__file__).with_name("nets.toml")
Triple = tuple[float, float, float]


class Net(BaseModel):
    """A network: see nets.toml for the fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    md5: str = ""
    sha256: str = ""
    side: Annotated[int, Field(ge=32, le=4096)] = 320
    mean: Triple = (0.485, 0.456, 0.406)
    deviation: Triple = (0.229, 0.224, 0.225)
    divide_by: Literal["own_max", "255"] = "own_max"
    activation: Literal["none", "sigmoid"] = "none"
    output: Annotated[int, Field(ge=0)] = 0
    code: str
    weights: str
    data: str
    commerce: Literal["yes", "ask", "no"]


@dataclass(frozen=True)
class NetFile:
    """A file that holds a known network."""

    name: str
    net: Net
    path: Path


def known_nets() -> dict[str, Net]:
    """Return the networks of the table by name, best first."""
    return {name: Net.model_validate(fields) for name, fields in tomllib.loads(TABLE.read_text()).items()}


def find_nets(folder: Path, files_of_others: frozenset[str]) -> list[NetFile]:
    """Return the networks in a folder, best first; those described by a file of their own come first of all.

    Args:
        folder: Where they are.
        files_of_others: Names of ONNX files that are no such network.

    Raises:
        ValueError: A description is wrong; the message names its file.
    """
    described: list[NetFile] = []
    recognised: list[NetFile] = []
    table = known_nets()
    for path in sorted(folder.glob("*.onnx")):
        if path.name in files_of_others:
            continue
        if path.with_suffix(".toml").is_file():
            described.append(NetFile(path.stem, _described(path.with_suffix(".toml")), path))
        elif name := _recognised(path, table):
            recognised.append(NetFile(name, table[name], path))
    order = list(table)
    return [*described, *sorted(recognised, key=lambda one: order.index(one.name))]


def _described(path: Path) -> Net:
    try:
        return Net.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not a TOML file: {error}") from None
    except ValidationError as error:
        problems = "; ".join(f"{problem['loc'][0]}: {problem['msg']}" for problem in error.errors())
        raise ValueError(f"{path} does not describe a network: {problems}") from None


def _recognised(path: Path, table: dict[str, Net]) -> str | None:
    """Return the network of a file: by its checksum, or, if it is a form of its own or damaged, by its name."""
    digests = set(_digests(path))
    by_sum = (name for name, net in table.items() if digests & {net.md5, net.sha256})
    name = next(by_sum, path.stem if path.stem in table else None)
    if name is None:
        log.warning("unknown network: describe it", file=str(path), description=str(path.with_suffix(".toml")))
    return name


def _digests(path: Path) -> tuple[str, str]:
    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            md5.update(block)
            sha256.update(block)
    return md5.hexdigest(), sha256.hexdigest()


class SoftNet:
    """A network, ready to run. Thread-safe.

    Args:
        name: Name of the network.
        net: How it is used.
        session: Maps (1, 3, side, side) float32 to a mask, (1, 1, side, side), as one of its outputs.
    """

    def __init__(self, name: str, net: Net, session: onnxruntime.InferenceSession) -> None:
        self.name = name
        self._net = net
        self._session = session
        self._input = session.get_inputs()[0].name
        self._output = session.get_outputs()[net.output].name

    @classmethod
    def load(cls, file: NetFile) -> "SoftNet":
        """Load a network.

        Raises:
            ValueError: The file is not an ONNX model, or is damaged; the message names the file.
        """
        check_weights(file.path)
        try:
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = compute_threads()
            options.enable_cpu_mem_arena = False  # free the memory after each run, for the other models
            session = onnxruntime.InferenceSession(str(file.path), options, providers=["CPUExecutionProvider"])
            return cls(file.name, file.net, session)
        except Exception as error:
            raise ValueError(f"{file.path} is not a complete ONNX model of a mask: replace it") from error

    def find(self, picture: Pixels) -> Probability:
        """See SaliencyFinder."""
        height, width = picture.shape[:2]
        net = self._net
        small = cv2.resize(picture, (net.side, net.side), interpolation=cv2.INTER_AREA).astype(np.float32)
        largest = 255.0 if net.divide_by == "255" else max(float(small.max()), 1.0)
        normalised = (small / largest - np.array(net.mean, np.float32)) / np.array(net.deviation, np.float32)
        [mask] = self._session.run([self._output], {self._input: normalised.transpose(2, 0, 1)[None]})
        values = np.asarray(mask, np.float32).reshape(mask.shape[-2:])
        if net.activation == "sigmoid":
            values = 1 / (1 + np.exp(-values))
        resized = cv2.resize(values, (width, height), interpolation=cv2.INTER_LINEAR)
        return np.asarray(np.clip(resized, 0, 1), np.float32)
