"""Settings of the whole test run. They must be made before PyTorch is imported."""

import os

# Several workers share the cores. A thread that waits actively for work takes the core from the worker beside it and
# makes both many times slower.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
