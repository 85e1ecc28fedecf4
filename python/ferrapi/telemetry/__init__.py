"""OpenTelemetry: spans, metrics and logs of an application, as `fastapi.telemetry` has them.

What an application records is settled by ``FastAPI(telemetry={...})``, a `TelemetryConfig`. Nothing of OpenTelemetry
is imported before an application turns out to have something that receives what it records (`_activation.py`).
"""

from ._config import TelemetryConfig
from ._data import TelemetryData, get_telemetry_data

__all__ = ["TelemetryConfig", "TelemetryData", "get_telemetry_data"]
