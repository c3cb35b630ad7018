"""Settings of the whole test run. They must be made before PyTorch is imported."""

import os

from hypothesis import settings

# Several workers share the cores. A thread that waits actively for work takes the core from the worker beside it and
# makes both many times slower.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# The time of an example is no property of the code: the first one may import a library that takes half a second. With
# CI=true Hypothesis has no deadline by itself.
if "CI" not in os.environ:
    settings.register_profile("untimed", deadline=None)
    settings.load_profile("untimed")
