"""The Streamlit front end. Home.py and pages/ only call the ``show`` of a page."""
