import pytest

from gateway.pipelines import replay
from gateway.pipelines.kept import KeptFiles, kept_scenes
from productimage.engine.v1 import engine_pb2
from productimage.provenance.v1 import provenance_pb2
from productimage.record.v1 import record_pb2


def stage(name: str, engine: str, model: str = "", seed: int | None = None) -> provenance_pb2.Stage:
    return provenance_pb2.Stage(name=name, engine=engine, model=model, seed=seed)


def test_of_several_attempts_the_one_that_was_kept_is_made_again() -> None:
    stages = [
        stage("copy", "templates", seed=9),
        stage("background", "set", seed=1),
        stage("composition", "set", "a", seed=1),
        stage("background", "set", seed=2),
        stage("composition", "set", "b", seed=2),
    ]
    record = record_pb2.Record(seed=1, manifest=provenance_pb2.Manifest(stages=stages))
    made = replay._made(record)
    assert (made["composition"].model, made["copy"].seed) == ("a", 9)


NOW = {"copy": engine_pb2.Engine(name="templates"), "renderer": engine_pb2.Engine(name="llvm_ad_rgb")}
CLOUD_NOW = NOW | {"copy": engine_pb2.Engine(name="openai/gpt-6-luna")}


@pytest.mark.parametrize(
    ("engine", "engines", "reason"),
    [
        ("templates", NOW, ""),
        ("templates", CLOUD_NOW, "openai/gpt-6-luna writes now"),
        ("templates", {}, "nothing writes now"),
        ("openai", CLOUD_NOW, "a model in a cloud wrote it"),
    ],
)
def test_no_cloud_is_asked_for_copy(engine: str, engines: dict[str, engine_pb2.Engine], reason: str) -> None:
    assert replay._why_not_copy(stage("copy", engine), engines) == reason


@pytest.mark.parametrize(
    ("composition", "background", "copy", "engines", "reason"),
    [
        ("set", "set", "templates", NOW, ""),
        ("set", "bedrock", "templates", NOW, ""),  # it fell back: the ads are of the set
        ("set", "set", "templates", {}, "nothing renders sets now"),
        ("set", "set", "openai", NOW, ""),  # its set is known by name
        ("", "bedrock", "templates", NOW, "a model in a cloud made the background, asked for: "),
        ("", "own picture", "templates", NOW, "the picture was not kept"),
    ],
)
def test_ads_are_made_again_where_that_asks_no_cloud(
    composition: str, background: str, copy: str, engines: dict[str, engine_pb2.Engine], reason: str
) -> None:
    made = {
        "composition": stage("composition", composition),
        "background": stage("background", background),
        "copy": stage("copy", copy),
    }
    assert replay._why_not_ads(record_pb2.Record(), made, engines) == reason
    if composition != "set":
        kept = record_pb2.Record(backgrounds=[record_pb2.KeptBackground(path="a.jpg")])
        assert replay._why_not_ads(kept, made, engines) == ""


def test_scenes_of_kept_backgrounds_tell_where_they_come_from() -> None:
    record = record_pb2.Record(
        backgrounds=[record_pb2.KeptBackground(path="a.jpg", source_type="trainedAlgorithmicMedia")]
    )
    [made] = kept_scenes(record, KeptFiles([b"file"], []), b"an earlier ad")
    assert made.scene.picture.encoded == b"file"
    assert (made.scene.origin.source_type, made.scene.origin.file) == ("trainedAlgorithmicMedia", b"an earlier ad")
    assert kept_scenes(record_pb2.Record(), KeptFiles([], [])) == []


def test_a_removal_whose_picture_was_not_kept_is_told_so() -> None:
    removed = provenance_pb2.Stage(name="inpainting", engine="migan", inputs=["before", "mask"], outputs=["after"])
    worse = provenance_pb2.Stage(name="inpainting", engine="migan", inputs=["other"], outputs=["unused"])
    composed = provenance_pb2.Stage(name="composition", inputs=["cutout", "after"])
    record = record_pb2.Record(manifest=provenance_pb2.Manifest(stages=[removed, worse, composed]))
    told = replay._removals_not_kept(record, composed)
    assert [(one.stage, one.state, one.detail) for one in told] == [
        ("inpainting", "not repeated", "the picture before it was not kept")
    ]
