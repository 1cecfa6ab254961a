"""How servers of pictures differ, beyond what OpenAI's API says of `/images/generations` and `/images/edits`."""

import json
from dataclasses import dataclass
from typing import Any, Literal

from services.generation.background.prompt import Prompt

DialectName = Literal["openai", "sd-server", "vllm-omni", "sglang", "localai"]


@dataclass(frozen=True)
class Dialect:
    """What a server wants.

    Attributes:
        seed: Where it takes a seed: nowhere, as a field of the request, or within the prompt.
        negative: Where it takes what to avoid: as a sentence of the prompt, as a field, or behind a bar.
        edits: Whether it edits with a mask whose transparent pixels are redrawn, as OpenAI has it.
    """

    seed: Literal["nowhere", "field", "prompt"] = "nowhere"
    negative: Literal["sentence", "field", "bar"] = "sentence"
    edits: bool = True

    def prompt(self, prompt: Prompt, seed: int) -> str:
        """Return the text of the request."""
        text = prompt.text
        if self.negative == "sentence":
            text += f" Without {prompt.negative}."
        if self.negative == "bar":
            text += f"|{prompt.negative}"
        if self.seed == "prompt":
            text += f"<sd_cpp_extra_args>{json.dumps({'seed': seed})}</sd_cpp_extra_args>"
        return text

    def fields(self, prompt: Prompt, seed: int) -> dict[str, Any]:
        """Return the fields of the request that OpenAI's API does not have."""
        fields: dict[str, Any] = {}
        if self.seed == "field":
            fields["seed"] = seed
        if self.negative == "field":
            fields["negative_prompt"] = prompt.negative
        return fields


DIALECTS: dict[DialectName, Dialect] = {
    # OpenAI, Azure, LiteLLM and what stands before other clouds
    "openai": Dialect(),
    # stable-diffusion.cpp: examples/server
    "sd-server": Dialect(seed="prompt"),
    "vllm-omni": Dialect(seed="field", negative="field"),
    "sglang": Dialect(seed="field", negative="field"),
    # its inpainting is of another form
    "localai": Dialect(negative="bar", edits=False),
}
