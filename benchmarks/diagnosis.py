"""How often `diagnose` is right, on curves of real trainings and on made-up ones.

    python -m benchmarks.diagnosis --cache FOLDER --make     train what the folder lacks (an hour on one core)
    python -m benchmarks.diagnosis --cache FOLDER            report on the curves held out from tuning
    python -m benchmarks.diagnosis --cache FOLDER --tuning   report on the others, and list what went wrong
    python -m benchmarks.diagnosis --cache FOLDER --fixture FILE    write the small sample that the tests replay

Each curve is replayed epoch by epoch, as a person sees it. An id counts as said from the first epoch at which it
appears, even if it goes away again. Precision: of the curves on which it was said, those for which it is expected or
allowed. Recall: of the curves for which it is expected, those on which it was said. "good" and "converged" are judged
at their first epoch by what came after it. What a curve should be called is decided in `_labels.py` for real curves,
and by construction for made-up ones (`_curves.py`).
"""

import argparse
import json
import statistics
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

from benchmarks import _curves
from histowidgets.advice import DIAGNOSES, diagnose

PASSING = {"good", "converged"}
"""True of many curves for a while; judged by the epochs that follow."""

TUNING_SEEDS, HELD_OUT_SEEDS = range(14), range(5000, 5008)
"""Of the made-up curves; of those held out fewer than of the real ones."""


@dataclass
class Case:
    """One labelled curve."""

    name: str
    real: bool
    history: list
    settings: object
    expected: set
    allowed: set
    told: dict = field(default_factory=dict)

    @property
    def healthy(self):
        """Whether nothing bad is expected or allowed."""
        return bool(self.expected) and not (self.expected | self.allowed) - PASSING


@dataclass
class Replay:
    """What was said about a curve: ids after each epoch, and the epoch of the first time."""

    case: Case
    said: list

    @property
    def first(self):
        """Epoch at which each id was first said."""
        found = {}
        for epoch, ids in enumerate(self.said, 1):
            for name in ids:
                found.setdefault(name, epoch)
        return found

    @property
    def flicker(self):
        """How often the most urgent id changed, and how often an id went away and came back."""
        top = [ids[0] if ids else None for ids in self.said]
        changes = sum(a != b for a, b in pairwise(top))
        back = 0
        for name in {n for ids in self.said for n in ids}:
            there = [name in ids for ids in self.said]
            back += max(0, sum(b and not a for a, b in zip([False, *there], there, strict=False)) - 1)
        return changes, back


def made_up(seeds):
    """Return made-up cases of every kind."""
    cases = []
    for kind in _curves.KINDS:
        for seed in seeds:
            curve = _curves.make(kind, seed)
            cases.append(Case(f"{kind}-{seed}", False, curve.history, curve.settings, curve.expected, curve.allowed))
    return cases


def real(cache, tuning, folder=None, make=False):
    """Return the cases of real trainings in a cache, of one half."""
    from benchmarks import _real_curves as source
    from benchmarks._labels import label

    makers = {(scenario, seed): maker for scenario, seed, maker in source.plan(folder)}
    cases = []
    for (scenario, seed), maker in makers.items():
        if source.tuning_half(scenario, seed) != tuning:
            continue
        record = source.cached(cache, scenario, seed, maker if make else None)
        twin_name = source.TWINS.get(scenario)
        twin = source.cached(cache, twin_name, seed, makers[twin_name, seed] if make else None) if twin_name else None
        if record is None or (twin_name and twin is None):
            continue
        cases.append(case_of(record, *label(record, twin)))
    return cases


def case_of(record, expected, allowed):
    """Make a case of a cached record and its label."""
    told = {name: record[name] for name in ("steps_per_epoch", "n_train_tiles", "held_out_strokes")}
    if record["class_tiles"]:
        told["class_tiles"] = record["class_tiles"]
    settings = SimpleNamespace(**record["settings"])
    name = f"{record['scenario']}-{record['seed']}"
    return Case(name, True, record["history"], settings, set(expected), set(allowed), told)


def replay(case):
    """Diagnose after each epoch."""
    said = []
    for epochs in range(1, len(case.history) + 1):
        said.append([a.id for a in diagnose(case.history[:epochs], case.settings, **case.told)])
    return Replay(case, said)


def wrong_ids(found):
    """Return the ids that should not have been said, with the epoch of the first time."""
    from benchmarks._labels import converged_was_right, good_was_right

    case, wrong = found.case, {}
    for name, epoch in found.first.items():
        if name == "good":
            right = good_was_right(case.history, epoch)
        elif name == "converged":
            right = name in case.expected or converged_was_right(case.history, epoch)
        else:
            right = name in case.expected | case.allowed
        if not right:
            wrong[name] = epoch
    return wrong


def report(replays, details=False):
    """Return the figures as a dict; print what went wrong where `details`."""
    misses, false = _mistakes(replays)
    healthy = [r for r in replays if r.case.healthy]
    accused = [r.case.name for r in healthy if set(r.first) - PASSING]
    flicker = [r.flicker for r in replays]
    epochs = sum(len(r.said) for r in replays)
    if details:
        for title, table in (("SAID WRONGLY", false), ("MISSED", misses)):
            for name, names in table.items():
                print(title, name, len(names), *names)
        print(
            "HEALTHY ACCUSED",
            [(r.case.name, sorted(set(r.first) - PASSING)) for r in healthy if r.case.name in accused],
        )
    return {
        "curves": len(replays),
        "real": sum(r.case.real for r in replays),
        "kinds": dict(Counter(r.case.name.rsplit("-", 1)[0] for r in replays)),
        "healthy": len(healthy),
        "healthy_called_bad": len(accused),
        "top_line_changes_per_100_epochs": round(100 * sum(c for c, _ in flicker) / max(epochs, 1), 1),
        "came_back_per_curve": round(sum(b for _, b in flicker) / max(len(flicker), 1), 2),
        "diagnoses": {name: _figures(name, replays) for name in DIAGNOSES},
        "of_real": {name: _figures(name, [r for r in replays if r.case.real]) for name in DIAGNOSES},
    }


def _mistakes(replays):
    """List by id the curves on which it was missed, and those (with the epoch) on which it was said wrongly."""
    misses, false = defaultdict(list), defaultdict(list)
    for found in replays:
        for name, epoch in wrong_ids(found).items():
            false[name].append(f"{found.case.name}@{epoch}")
        for name in found.case.expected - set(found.first):
            misses[name].append(found.case.name)
    return misses, false


def _figures(name, replays):
    """Return precision and recall of one id, and the median of the epochs at which it was first said rightly."""
    expected = [r for r in replays if name in r.case.expected]
    said = [r for r in replays if name in r.first]
    hits = [r for r in expected if name in r.first]
    false = sum(name in wrong_ids(r) for r in said)
    return {
        "expected": len(expected),
        "said": len(said),
        "precision": round(1 - false / len(said), 3) if said else None,
        "recall": round(len(hits) / len(expected), 3) if expected else None,
        "median_first_epoch": statistics.median(r.first[name] for r in hits) if hits else None,
    }


def write_fixture(cases, path, most=50):
    """Write a sample with every id and scenario, in few bytes: columns instead of records."""
    of_ids = {name: case for case in reversed(cases) for name in case.expected}
    chosen = list({case.name: case for case in of_ids.values()}.values())
    by_kind, taken = defaultdict(list), {case.name for case in chosen}
    for case in cases:
        if case.name not in taken:
            by_kind[case.name.rsplit("-", 1)[0]].append(case)
    while len(chosen) < most and any(by_kind.values()):
        for some in by_kind.values():
            if some and len(chosen) < most:
                chosen.append(some.pop(0))
    kept = ("epochs", "learning_rate", "scheduler", "freeze", "batch_size", "steps_per_epoch", "backbone", "pretrained")
    rows = []
    for case in sorted(chosen, key=lambda c: c.name):
        keys = list(dict.fromkeys(key for record in case.history for key in record))
        columns = {key: [_short(record.get(key)) for record in case.history] for key in keys if key != "epoch"}
        rows.append(
            {
                "name": case.name,
                "expected": sorted(case.expected),
                "allowed": sorted(case.allowed),
                "settings": {key: getattr(case.settings, key) for key in kept},
                "told": case.told,
                "columns": columns,
            }
        )
    Path(path).write_text("[\n" + ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows) + "\n]\n")


def _short(value):
    """Keep three significant digits, more than a chart shows."""
    if isinstance(value, dict):
        return {key: _short(v) for key, v in value.items()}
    return float(f"{value:.3g}") if isinstance(value, float) else value


def read_fixture(path):
    """Return the cases that `write_fixture` wrote."""
    cases = []
    for row in json.loads(Path(path).read_text()):
        columns = row["columns"]
        n = max(len(values) for values in columns.values())
        history = [{"epoch": i + 1} | {key: values[i] for key, values in columns.items()} for i in range(n)]
        settings = SimpleNamespace(**row["settings"])
        told = row["told"]
        cases.append(Case(row["name"], True, history, settings, set(row["expected"]), set(row["allowed"]), told))
    return cases


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", required=True, help="folder of the real curves, outside the repository")
    parser.add_argument("--make", action="store_true", help="train what the folder lacks")
    parser.add_argument("--data", help="folder of images with masks, for a few more healthy runs")
    parser.add_argument("--tuning", action="store_true", help="the half that thresholds may be chosen on")
    parser.add_argument("--only", choices=["real", "made-up"])
    parser.add_argument("--fixture", help="write a sample of the real curves of both halves here")
    a = parser.parse_args()
    if a.fixture:
        both = real(a.cache, True, a.data) + real(a.cache, False, a.data)
        write_fixture(both, a.fixture)
        return
    cases = []
    if a.only != "made-up":
        cases += real(a.cache, a.tuning, a.data, a.make)
    if a.only != "real":
        cases += made_up(TUNING_SEEDS if a.tuning else HELD_OUT_SEEDS)
    found = report([replay(case) for case in cases], details=a.tuning)
    tables = {"all curves": found.pop("diagnoses"), "real curves alone": found.pop("of_real")}
    print(json.dumps(found))
    for title, rows in tables.items():
        print(f"{title:28}{'expected':>9}{'said':>6}{'precision':>11}{'recall':>8}{'median first epoch':>20}")
        for name, row in rows.items():
            print(f"{name:28}{row['expected']:9}{row['said']:6}{row['precision']!s:>11}{row['recall']!s:>8}", end="")
            print(f"{row['median_first_epoch']!s:>20}")


if __name__ == "__main__":
    main()
