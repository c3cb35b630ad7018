"""Write the JSON schemas of this folder from the dataclasses that read the files.

python docs/schemas/generate.py
"""

import json
from pathlib import Path
from typing import Any

from engine.finetune.config import finetune_schema
from kronos_dashboard.evaluation.scorecard import scorecard_schema
from kronos_dashboard.forecasting.record import record_schema
from kronos_dashboard.settings import settings_schema

SCHEMAS = {
    "finetune": finetune_schema,
    "run_record": record_schema,
    "scorecard": scorecard_schema,
    "settings": settings_schema,
}
"""Name of a file, without suffix -> function that returns its schema."""


def render(schema: dict[str, Any]) -> str:
    """The text of a file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for name, make in SCHEMAS.items():
        Path(__file__).with_name(f"{name}.json").write_text(render(make()), encoding="utf-8")
