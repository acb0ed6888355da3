"""Queries as panel targets: data source, reference and kind of evaluation are always explicit."""

from dataclasses import dataclass

from grafana_foundation_sdk.builders import prometheus
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from grafana.sql.statement import Kind, Statement

DATA_SOURCE_VARIABLE = "prom"
DATA_SOURCE = common.DataSourceRef(type_val="prometheus", uid=f"${{{DATA_SOURCE_VARIABLE}}}")
LEDGER_VARIABLE = "ledger"
LEDGER_TYPE = "frser-sqlite-datasource"
LEDGER = common.DataSourceRef(type_val=LEDGER_TYPE, uid=f"${{{LEDGER_VARIABLE}}}")


CONSOLE = "${console}"
"""Where people open the exporter's own pages: runbooks, and the page on which somebody says `I have it`."""

MIXED = common.DataSourceRef(type_val="datasource", uid="-- Mixed --")
"""Of a panel whose queries name different sources."""


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


@dataclass(frozen=True, slots=True)
class LedgerQuery(Builder[Dataquery], Dataquery):
    """A statement as its data source takes it; `by_label`: a series for each value of its text column."""

    statement: Statement
    ref_id: str = "A"
    by_label: bool = False

    def build(self) -> "LedgerQuery":
        """Itself: it is built as it is made."""
        return self

    def to_json(self) -> dict[str, object]:
        """The browser sends the raw text with variables filled in; anything else reads the other one."""
        times = [name for name, kind in self.statement.columns.items() if kind is Kind.TIME]
        return {
            "refId": self.ref_id,
            "datasource": LEDGER,
            "queryType": "time series" if self.by_label else "table",
            "rawQueryText": self.statement.text,
            "queryText": self.statement.text,
            "timeColumns": times,
        }
