"""The table and the plot of `quality.py`'s results."""

import json
from collections import defaultdict

import numpy as np

COLORS = {"shown": "#1f6feb", "network": "#6ea8fe", "quick learner": "#2da44e", "peer": "#9a6700"}


def read_results(path):
    """Read the lines; of two for the same learner, data, budget and seed the later one counts."""
    lines = {}
    for text in path.read_text(encoding="utf-8").splitlines():
        line = json.loads(text)
        lines[line["data"], line["learner"], line["budget"], line["seed"]] = line
    return list(lines.values())


def summarized(lines):
    """Return a row for each data, learner and budget: mean and range over the seeds."""
    groups = defaultdict(list)
    for line in lines:
        groups[line["data"], line["learner"], line["budget"]].append(line)
    rows = []
    for (data, learner, budget), some in groups.items():
        row = {"data": data, "learner": learner, "budget": budget, "seeds": len(some)}
        row["seconds"] = float(np.median([line["seconds"] for line in some]))
        for part in ("annotated", "unseen"):
            values = [line[part] for line in some]
            row[part], row[f"{part}_range"] = float(np.mean(values)), (min(values), max(values))
        more = [line["one_more_stroke_s"] for line in some if "one_more_stroke_s" in line]
        row["one_more_stroke_s"] = float(np.median(more)) if more else None
        row["shown"] = ", ".join(sorted({line["shown"] for line in some if "shown" in line}))
        rows.append(row)
    return sorted(rows, key=lambda row: (row["data"], row["budget"] or 0, row["learner"]))


def table(rows, goals):
    """Write the rows as Markdown; goals are of the data "glands"."""
    text = ["| data | learner | seconds | annotated | unseen | seeds | remark |", "|---|---|---|---|---|---|---|"]
    for row in rows:
        remarks = []
        if row["shown"]:
            remarks.append(f"shows: {row['shown']}")
        if row["one_more_stroke_s"] is not None:
            remarks.append(f"one more stroke {row['one_more_stroke_s']:.2f} s")
        wanted = goals.get(row["budget"]) if row["data"] == "glands" else None
        if wanted and row["learner"] in ("shown", "quick learner"):
            remarks.append(f"goal {wanted[0]:.2f} / {wanted[1]:.2f}")
        scores = [
            f"{row[p]:.3f} ({row[f'{p}_range'][0]:.2f}-{row[f'{p}_range'][1]:.2f})" for p in ("annotated", "unseen")
        ]
        text.append(
            f"| {row['data']} | {row['learner']} | {row['seconds']:.1f} | {scores[0]} | {scores[1]} "
            f"| {row['seeds']} | {'; '.join(remarks)} |"
        )
    return "\n".join(text) + "\n"


def _with_range(mean, ends):
    return f"{mean:.3f} ({ends[0]:.3f}-{ends[1]:.3f})"


def plot(rows, path):
    """Draw mIoU over seconds, a panel for each data and part; returns False without matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return False
    names = sorted({row["data"] for row in rows})
    figure = Figure(figsize=(10, 3.6 * len(names)), layout="constrained")
    axes = figure.subplots(len(names), 2, squeeze=False)
    for i, name in enumerate(names):
        for axis, part in zip(axes[i], ("annotated", "unseen"), strict=True):
            _panel(axis, [row for row in rows if row["data"] == name], part)
            axis.set_title(f"{name}, {part} images")
    axes[0][0].legend(fontsize=8, loc="lower right")
    figure.savefig(path, dpi=110)
    return True


def _panel(axis, rows, part):
    by_learner = defaultdict(list)
    for row in rows:
        by_learner[row["learner"]].append(row)
    for learner, some in sorted(by_learner.items()):
        some = sorted(some, key=lambda row: row["seconds"])
        color = next((c for start, c in COLORS.items() if learner.startswith(start)), "#57606a")
        style = {"lgbm": "^", "rf": "s", "unet": "x"}.get(learner.split()[-1], "o")
        means = [row[part] for row in some]
        spread = [[m - row[f"{part}_range"][0] for m, row in zip(means, some, strict=True)]]
        spread.append([row[f"{part}_range"][1] - m for m, row in zip(means, some, strict=True)])
        line = ":" if learner.startswith("peer") or "turned" in learner else "-"
        seconds = [row["seconds"] for row in some]
        axis.errorbar(seconds, means, spread, marker=style, ls=line, color=color, capsize=2, label=learner)
    axis.set_xscale("log")
    axis.set_xlabel("seconds of the wall")
    axis.set_ylabel("mean IoU")
    axis.grid(alpha=0.3)
