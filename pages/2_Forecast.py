"""Forecast: choose candles and a window, run the model, read the result, export it.

The window, the settings and the results belong to the browser session; a reload of the page restores them.
"""

from kronos_dashboard.ui.forecast import page

page.show()
