"""The series of a session: loaded, edited, selected, and as a share link."""
