"""Precision and recall of each diagnosis on made-up curves whose seeds were not used to choose the thresholds."""

from collections import Counter

import pytest

from histowidgets.advice import DIAGNOSES, diagnose
from tests.advice.curves import KINDS, make

# The thresholds were chosen on seeds 0 to 1099.
SEEDS = range(2000, 2030)


@pytest.fixture(scope="module")
def verdicts():
    curves = [make(kind, seed) for kind in KINDS for seed in SEEDS]
    return [(curve, {advice.id for advice in diagnose(curve.history, curve.settings)}) for curve in curves]


@pytest.mark.parametrize("name", DIAGNOSES)
def test_each_diagnosis_is_right(verdicts, name):
    hits = sum(name in found and name in curve.expected for curve, found in verdicts)
    missed = [curve.kind for curve, found in verdicts if name in curve.expected and name not in found]
    wrong = [curve.kind for curve, found in verdicts if name in found - curve.expected - curve.allowed]
    assert hits + len(missed) >= len(SEEDS)
    assert hits / (hits + len(wrong)) >= 0.9, Counter(wrong)
    assert hits / (hits + len(missed)) >= 0.85, Counter(missed)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["good", "converged"])
def test_a_good_run_is_never_called_bad_at_any_epoch(kind):
    bad = set(DIAGNOSES) - {"good", "converged"}
    accused = Counter()
    for seed in SEEDS:
        curve = make(kind, seed)
        for epochs in range(1, len(curve.history) + 1):
            found = {advice.id for advice in diagnose(curve.history[:epochs], curve.settings)} & bad
            if found:
                accused.update([(seed, *sorted(found))])
                break
    assert len(accused) <= 0.05 * len(SEEDS), accused
