"""Data: import candles, check them, repair them, keep several series, export them.

The query parameters select candles, see ``kronos_dashboard.markets.share_link``.
"""

from kronos_dashboard.ui.data import page

page.show()
