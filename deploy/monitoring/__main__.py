"""Write the Kubernetes copies of the dashboard and the alerts: `python -m deploy.monitoring`."""

import json
from pathlib import Path

from deploy.monitoring.dashboard import dashboard

HERE = Path(__file__).parent
COMPONENT = HERE.parent / "k8s" / "components" / "monitoring"
RULES = """# Made of deploy/monitoring/alerts.yaml by `python -m deploy.monitoring`.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: product-image-generator
spec:
"""


def files() -> dict[Path, str]:
    """Return the generated files and their contents."""
    alerts = (HERE / "alerts.yaml").read_text(encoding="utf-8").splitlines()
    groups = "\n".join(f"  {line}".rstrip() for line in alerts if not line.startswith("#"))
    return {
        COMPONENT / "dashboard.json": json.dumps(dashboard(), indent=1) + "\n",
        COMPONENT / "rules.yaml": f"{RULES}{groups}\n",
    }


if __name__ == "__main__":
    for path, text in files().items():
        path.write_text(text, encoding="utf-8")
