"""How many cases each of these tests takes, and how they are drawn."""

import os

from hypothesis import HealthCheck, Phase

#: Cases of each test here. HISTOWIDGETS_CASES raises it; then other cases are drawn each time.
MANY = int(os.environ.get("HISTOWIDGETS_CASES", "600"))

CALM = {
    "max_examples": MANY,
    "deadline": None,
    "database": None,
    "derandomize": "HISTOWIDGETS_CASES" not in os.environ,
    "suppress_health_check": list(HealthCheck),
    "phases": [Phase.generate, Phase.shrink],
}
