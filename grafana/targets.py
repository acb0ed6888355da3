"""Prometheus queries as panel targets: data source, reference and kind of evaluation are always explicit."""

from grafana_foundation_sdk.builders import prometheus
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

DATA_SOURCE_VARIABLE = "prom"
DATA_SOURCE = common.DataSourceRef(type_val="prometheus", uid=f"${{{DATA_SOURCE_VARIABLE}}}")


def instant(expr: str, ref_id: str, name: str) -> prometheus.Dataquery:
    """The value now. A range query would go on showing the last number of an exporter that is gone."""
    return _query(expr, ref_id).instant().legend_format(name).format(PromQueryFormat.TIME_SERIES)


def row_values(expr: str, ref_id: str) -> prometheus.Dataquery:
    """The values now as rows of a table, one a series, with its labels as columns."""
    return _query(expr, ref_id).instant().format(PromQueryFormat.TABLE)


def history(expr: str, ref_id: str, name: str, *, step: str = "10s") -> prometheus.Dataquery:
    """The values over the page's range, no finer than `step`."""
    return _query(expr, ref_id).range().legend_format(name).format(PromQueryFormat.TIME_SERIES).interval(step)


def _query(expr: str, ref_id: str) -> prometheus.Dataquery:
    return prometheus.Dataquery().datasource(DATA_SOURCE).expr(expr).ref_id(ref_id)
