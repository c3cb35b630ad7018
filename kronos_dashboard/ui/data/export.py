"""Downloads of the selected series, and the link that opens it again."""

from __future__ import annotations

import io
from urllib.parse import urlencode

import streamlit as st

from kronos_dashboard.export.candles import write_candles_csv
from kronos_dashboard.markets.candles import CandleFrame
from kronos_dashboard.markets.editable_series import EditableSeries
from kronos_dashboard.markets.intervals import interval_label
from kronos_dashboard.markets.share_link import selection_to_parameters
from kronos_dashboard.ui.i18n import t

__all__ = ["candles_parquet", "export_controls"]


def export_controls(series: EditableSeries) -> None:
    """Draw the downloads of the candles after all edits, and the link that opens the same selection."""
    candles, stem = series.candles, _file_stem(series.candles)
    with st.container(horizontal=True):
        st.download_button(
            t("Candles (CSV)"),
            lambda: write_candles_csv(candles),
            f"{stem}.csv",
            "text/csv",
            key="data_csv",
            icon=":material/download:",
            on_click="ignore",
            help=t(
                "Times include the UTC offset; the file can be imported here again. Cells are escaped "
                "against spreadsheet formulas."
            ),
        )
        st.download_button(
            t("Candles (Parquet)"),
            lambda: candles_parquet(candles),
            f"{stem}.parquet",
            "application/vnd.apache.parquet",
            key="data_parquet",
            icon=":material/download:",
            on_click="ignore",
            help=t("The same columns at full precision, for pandas and other tools."),
        )
    if series.selection is None:
        st.caption(t("Uploaded files cannot be shared by link: they stay on this computer."))
        return
    st.caption(t("This link opens the same source and settings; it contains no candles and no edits."))
    st.code(
        f"{st.context.url or ''}?{urlencode(selection_to_parameters(series.selection))}", language=None, wrap_lines=True
    )


def candles_parquet(candles: CandleFrame) -> bytes:
    """Return a Parquet file: ``timestamps`` in the session timezone, prices, and volume and amount if known."""
    table = candles.frame.loc[:, list(candles.columns)].reset_index(drop=True)
    table.insert(0, "timestamps", candles.local_index)
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    return buffer.getvalue()


def _file_stem(candles: CandleFrame) -> str:
    symbol = "".join(letter if letter.isalnum() else "_" for letter in candles.symbol)[:40]
    return f"candles_{symbol}_{interval_label(candles.interval)}"
