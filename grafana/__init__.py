"""Grafana's pages as code: queries, panels, pages, and the generator of the committed JSON."""

import importlib
import warnings

# Grafana 12.3 provisions files of the first schema only; its builders warn on import that there is a second.
with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "Prefer using dashboardv2", DeprecationWarning)
    for builders in ("dashboard", "stat"):
        importlib.import_module(f"grafana_foundation_sdk.builders.{builders}")
