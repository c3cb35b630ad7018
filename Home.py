"""Home: what this is, what is loaded, one click to a first forecast.

``streamlit run Home.py`` starts the app; the files of ``pages/`` are its other pages. Their names are their addresses
(``/Data``, ``/Forecast``), so links depend on them.
"""

from kronos_dashboard.ui.home import page

page.show()
