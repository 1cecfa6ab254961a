"""The settings of the gateway."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.runtime.settings import ChannelSettings, ImageLimits, LogSettings

DATA = Path(__file__).parent / "data"


class GatewaySettings(LogSettings, ImageLimits, ChannelSettings):
    """Read from GATEWAY_* in the environment or in .env."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_", env_file=".env", extra="ignore")

    host: str = Field("127.0.0.1", description="The address to listen on; 0.0.0.0 in a container.")
    port: int = Field(8000, ge=0, le=65535, description="The port to listen on.")
    cors_origins: list[str] = Field(
        ["http://localhost:3000", "http://localhost:3001", "http://127.0.0.1:3000", "http://127.0.0.1:3001"],
        description="Where frontends are served from, as a JSON list of origins.",
    )
    segmentation_target: str = Field("dns:///127.0.0.1:50051", description="The segmentation service.")
    inpainting_target: str = Field("dns:///127.0.0.1:50052", description="The inpainting service.")
    generation_target: str = Field("dns:///127.0.0.1:50053", description="The generation service.")
    history_target: str = Field("dns:///127.0.0.1:50054", description="The history service.")
    model_deadline_seconds: float = Field(
        180, gt=0, description="How long one stage that runs a model may take: cut-out, background, copy and the like."
    )
    history_deadline_seconds: float = Field(30, gt=0, description="How long one call to the history may take.")
    download_deadline_seconds: float = Field(
        600, gt=0, description="How long a caller may take to read a picture or the list; slower ones are cut off."
    )
    keep_alive_seconds: float = Field(
        10, gt=0, description="Between comments that keep an event stream open while nothing else happens."
    )
    ready_deadline_seconds: float = Field(2, gt=0, description="How long a service may take to say that it is ready.")
    workers: int = Field(2, gt=0, description="Threads for work that blocks: checking pictures, reading CSV files.")
    queue_size: int = Field(32, ge=0, description="Blocking work that may wait for a thread; more is refused at once.")
    backgrounds: Literal["per_aspect", "square"] = Field(
        "per_aspect",
        description="How many backgrounds a generation asks for: one for each family of proportions among its sizes, or"
        " a square one that all are cut from, at half the price of the default sizes' two.",
    )
    regenerations: int = Field(
        1,
        ge=0,
        le=5,
        description="How often backgrounds are made anew, with another seed, when an ad has a flaw: a product that"
        " hardly stands out, or is shown too small. Each time costs as much as the first.",
    )
    clearing_fringe: float = Field(
        0.02,
        ge=0,
        le=0.2,
        description="How far around an object that stands in the product's way its traces are removed with it, as a"
        " part of the picture's longer side; its shadow is found and goes too.",
    )
    audience_file: Path = Field(DATA / "audience.toml", description="The audience tags.")
    users_file: Path = Field(DATA / "users.csv", description="The users and their tags, for counting an audience.")

    @property
    def max_body_bytes(self) -> int:
        """The largest request that is read: a picture and the fields beside it."""
        return self.max_image_bytes + 2**20
