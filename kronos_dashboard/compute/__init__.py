"""The background job queue, and how long a run will take."""
