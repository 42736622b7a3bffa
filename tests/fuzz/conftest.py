"""How many cases each of these tests takes, how they are drawn, and what was tried in the end."""

import os

from hypothesis import HealthCheck, Phase

from tests.fuzz import case

#: Cases of each test here. HISTOWIDGETS_CASES raises it; then other cases are drawn each time.
MANY = int(os.environ.get("HISTOWIDGETS_CASES", "160"))

CALM = {
    "max_examples": MANY,
    "deadline": None,
    "database": None,
    "derandomize": "HISTOWIDGETS_CASES" not in os.environ,
    "suppress_health_check": list(HealthCheck),
    "phases": [Phase.generate, Phase.shrink],
}


def pytest_terminal_summary(terminalreporter):
    if case.tried:
        parts = [f"{kind} {n:,} (slowest {case.slowest[kind]:.2f} s)" for kind, n in sorted(case.tried.items())]
        total, grown = sum(case.tried.values()), case.grown / 1e6
        terminalreporter.write_line(f"{total:,} generated cases, process grown by {grown:.0f} MB: {', '.join(parts)}")
