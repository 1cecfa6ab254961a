"""What importing the gateway loads."""

import json
import subprocess
import sys

NAMES = "import gateway.app, gateway.__main__, sys, json; print(json.dumps(sorted(sys.modules)))"


def test_the_gateway_loads_no_image_processing() -> None:
    done = subprocess.run([sys.executable, "-c", NAMES], capture_output=True, text=True, check=True, timeout=60)
    assert {"numpy", "cv2", "torch", "onnxruntime", "boto3", "openai"}.isdisjoint(json.loads(done.stdout))
