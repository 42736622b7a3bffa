"""Precision and recall of each diagnosis on made-up curves held out from tuning, and on real ones, half of them seen.

The made-up curves are of seeds held out from tuning. The real ones are a sample of the small trainings of
`benchmarks/diagnosis.py`, written by its ``--fixture``; each is replayed epoch by epoch, as a person sees it.
"""

import pickle
from collections import Counter
from pathlib import Path

import pytest

from benchmarks._curves import KINDS, make
from benchmarks.diagnosis import PASSING, read_fixture, replay, wrong_ids
from histowidgets.advice import DIAGNOSES, diagnose
from histowidgets.advice.diagnosis import _diagnose

SEEDS = range(2000, 2030)
REAL = Path(__file__).parent / "data" / "real_curves.json"


@pytest.fixture(scope="module", autouse=True)
def each_moment_once():
    """Compute the findings of a moment once: as the present, and as the past of the three epochs after it."""
    computed, found_at = {}, _diagnose._found_at

    def found_once(run):
        key = pickle.dumps(run)
        if key not in computed:
            computed[key] = found_at(run)
        return list(computed[key])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_diagnose, "_found_at", found_once)
        yield


@pytest.fixture(scope="module")
def verdicts():
    curves = [make(kind, seed) for kind in KINDS for seed in SEEDS if not kind.startswith("healthy")]
    return [(curve, {advice.id for advice in diagnose(curve.history, curve.settings)}) for curve in curves]


@pytest.fixture(scope="module")
def real():
    return [replay(case) for case in read_fixture(REAL)]


@pytest.mark.parametrize("name", DIAGNOSES)
def test_each_diagnosis_is_right(verdicts, name):
    hits = sum(name in found and name in curve.expected for curve, found in verdicts)
    missed = [curve.kind for curve, found in verdicts if name in curve.expected and name not in found]
    wrong = [curve.kind for curve, found in verdicts if name in found - curve.expected - curve.allowed]
    assert hits + len(missed) >= len(SEEDS)
    assert hits / (hits + len(wrong)) >= 0.9, Counter(wrong)
    assert hits / (hits + len(missed)) >= 0.85, Counter(missed)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["good", "converged", "healthy_below", "healthy_wandering"])
def test_a_good_run_is_never_called_bad_at_any_epoch(kind):
    bad = set(DIAGNOSES) - PASSING
    accused, seeds = Counter(), SEEDS[:20]
    for seed in seeds:
        curve = make(kind, seed)
        for epochs in range(1, len(curve.history) + 1):
            found = {advice.id for advice in diagnose(curve.history[:epochs], curve.settings)} & bad
            if found:
                accused.update([(seed, *sorted(found))])
                break
    assert len(accused) <= 0.05 * len(seeds), accused


def test_real_curves_are_called_by_their_names(real):
    assert len(real) >= 40
    expected = [(found.case.name, name) for found in real for name in found.case.expected]
    missed = [(found.case.name, name) for found in real for name in found.case.expected - set(found.first)]
    assert {name for _, name in expected} >= set(DIAGNOSES) - {"class-poor", "class-never-learned"}
    assert len(missed) <= 0.15 * len(expected), missed


def test_real_curves_are_called_by_no_wrong_name(real):
    said = sum(len(found.first) for found in real)
    wrong = [(found.case.name, wrong_ids(found)) for found in real if wrong_ids(found)]
    assert sum(len(ids) for _, ids in wrong) <= 0.1 * said, wrong


def test_a_line_that_was_there_twice_does_not_vanish_for_one_epoch(real):
    epochs = sum(len(found.said) for found in real)
    assert 100 * sum(found.flicker[0] for found in real) / epochs <= 16
