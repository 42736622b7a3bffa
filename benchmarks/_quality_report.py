"""The tables and the plots of `quality.py`'s results."""

import json
from collections import defaultdict

import numpy as np

COLORS = {"shown": "#1f6feb", "network": "#6ea8fe", "quick learner": "#2da44e", "peer": "#9a6700"}
PARTS = ("annotated", "unseen")


def read_results(path):
    """Read the lines; of two for the same learner, data, strokes, budget and seed the later one counts."""
    lines = {}
    for text in path.read_text(encoding="utf-8").splitlines():
        line = {"strokes": 10, "clock": "wall", **json.loads(text)}  # early results do not say these
        lines[line["data"], line["learner"], line["strokes"], line["budget"], line["seed"]] = line
    return list(lines.values())


def summarized(lines):
    """Return a row for each data, strokes, learner and budget: mean and range over the seeds."""
    groups = defaultdict(list)
    for line in lines:
        groups[line["data"], line["strokes"], line["learner"], line["budget"]].append(line)
    rows = []
    for (data, strokes, learner, budget), some in groups.items():
        row = {"data": data, "strokes": strokes, "learner": learner, "budget": budget, "seeds": len(some)}
        row["seconds"] = float(np.median([line["seconds"] for line in some]))
        for part in PARTS:
            values = [line[part] for line in some]
            row[part], row[f"{part}_range"] = float(np.mean(values)), (min(values), max(values))
        more = [line["one_more_stroke_s"] for line in some if "one_more_stroke_s" in line]
        row["one_more_stroke_s"] = float(np.median(more)) if more else None
        row["shown"] = ", ".join(sorted({line["shown"] for line in some if "shown" in line}))
        rows.append(row)
    return sorted(rows, key=lambda row: (row["data"], row["strokes"], row["budget"] or 0, row["learner"]))


def table(rows, goals):
    """Write the rows as Markdown; goals are of the data "glands"."""
    text = [
        "| data | strokes | learner | seconds | annotated | unseen | seeds | remark |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        remarks = []
        if row["shown"]:
            remarks.append(f"shows: {row['shown']}")
        if row["one_more_stroke_s"] is not None:
            remarks.append(f"one more stroke {row['one_more_stroke_s']:.2f} s")
        wanted = goals.get(row["budget"]) if row["data"] == "glands" else None
        if wanted and row["learner"] in ("shown", "quick learner"):
            remarks.append(f"goal {wanted[0]:.2f} / {wanted[1]:.2f}")
        scores = [f"{row[p]:.3f} ({row[f'{p}_range'][0]:.2f}-{row[f'{p}_range'][1]:.2f})" for p in PARTS]
        text.append(
            f"| {row['data']} | {row['strokes']} | {row['learner']} | {row['seconds']:.1f} | {scores[0]} | {scores[1]} "
            f"| {row['seeds']} | {'; '.join(remarks)} |"
        )
    return "\n".join(text) + "\n"


#: What the studio can show, and the line with its score on the truth. The quick learner is not of any budget.
_CHOICES = {
    "network": "network, turned 8 ways",
    "both": "both, turned 8 ways",
    "quick": "quick learner, turned 8 ways",
}


def choices(lines):
    """Return for each data, strokes, budget and seed which learner was shown, and which of those at hand was best.

    The best is that with the highest mean of annotated and unseen images on the truth. `cost` is how much lower that of
    the one shown is; `cost_annotated` and `cost_unseen` are the same for each kind of images against the best there.
    Results without the quick learner, or with one learner only, are left out.
    """
    by_key = {(line["data"], line["strokes"], line["seed"], line["budget"], line["learner"]): line for line in lines}
    found = []
    for line in lines:
        if line["learner"] != "shown":
            continue
        place = line["data"], line["strokes"], line["seed"]
        there = {name: by_key.get((*place, line["budget"], learner)) for name, learner in _CHOICES.items()}
        there["quick"] = by_key.get((*place, 1, _CHOICES["quick"]))
        scores = {name: {part: one[part] for part in PARTS} for name, one in there.items() if one is not None}
        if "quick" not in scores or len(scores) < 2 or line["shown"] not in scores:
            continue
        scores[line["shown"]] = {part: line[part] for part in PARTS}  # as measured for the one that was shown
        means = {name: float(np.mean(list(one.values()))) for name, one in scores.items()}
        best = max(means, key=means.get)
        row = {"data": line["data"], "strokes": line["strokes"], "budget": line["budget"], "seed": line["seed"]}
        row |= {"shown": line["shown"], "best": best, "of": len(means), "cost": means[best] - means[line["shown"]]}
        for part in PARTS:
            row[f"cost_{part}"] = max(one[part] for one in scores.values()) - line[part]
        found.append(row)
    return sorted(found, key=lambda row: (row["strokes"], row["budget"], row["data"], row["seed"]))


def choice_table(rows):
    """Write what `choices` returns as Markdown: how often the learner shown was the best, and what the rest cost."""
    text = [
        "| strokes | seconds | cases | shown is best | within 0.01 of it | mean cost | largest | annotated / unseen |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for key in dict.fromkeys((row["strokes"], row["budget"]) for row in rows):
        some = [row for row in rows if (row["strokes"], row["budget"]) == key]
        right = sum(row["shown"] == row["best"] for row in some)
        near = sum(row["cost"] <= 0.01 for row in some)
        worst = max(some, key=lambda row: row["cost"])
        parts = " / ".join(f"{np.mean([row[f'cost_{part}'] for row in some]):.3f}" for part in PARTS)
        where = f"{worst['data']} ({worst['shown']} for {worst['best']})" if worst["cost"] > 0 else "–"
        text.append(
            f"| {key[0]} | {key[1]:g} | {len(some)} | {right} of {len(some)} | {near} of {len(some)} "
            f"| {np.mean([row['cost'] for row in some]):.3f} | {worst['cost']:.3f}, {where} | {parts} |"
        )
    return "\n".join(text) + "\n"


def compared(rows):
    """Return for each data, strokes and budget what is shown, the best peer and the margin, on both kinds of images.

    The best peer is the highest mean of trees, whatever time they take, and of the plain U-Net of the same budget, for
    annotated and for unseen images by itself. What has no peer is left out.
    """
    found = []
    for row in rows:
        if row["learner"] not in ("shown", "quick learner"):
            continue
        same = [other for other in rows if (other["data"], other["strokes"]) == (row["data"], row["strokes"])]
        peers = [o for o in same if o["learner"].startswith("peer") and o["budget"] in (None, row["budget"])]
        if not peers:
            continue
        line = {name: row[name] for name in ("data", "strokes", "budget", "seeds")}
        for part in PARTS:
            best = max(peers, key=lambda peer: peer[part])
            line[part], line[f"{part}_peer"], line[f"{part}_by"] = row[part], best[part], best["learner"].split()[-1]
            line[f"{part}_margin"] = row[part] - best[part]
        found.append(line)
    return sorted(found, key=lambda line: (line["strokes"], line["budget"], line["data"]))


def comparison_table(lines):
    """Write what `compared` returns as Markdown, with the mean margin of each number of strokes and budget."""
    text = [
        "| strokes | seconds | data | shown, annotated / unseen | best peer | margin | seeds |",
        "|---|---|---|---|---|---|---|",
    ]
    for key in dict.fromkeys((line["strokes"], line["budget"]) for line in lines):
        some = [line for line in lines if (line["strokes"], line["budget"]) == key]
        start = f"| {key[0]} | {key[1]:g} |"
        for line in some:
            shown = " / ".join(f"{line[part]:.3f}" for part in PARTS)
            peers = " / ".join(f"{line[f'{part}_peer']:.3f} ({line[f'{part}_by']})" for part in PARTS)
            margins = " / ".join(f"{line[f'{part}_margin']:+.3f}" for part in PARTS)
            text.append(f"{start} {line['data']} | {shown} | {peers} | {margins} | {line['seeds']} |")
        means = " / ".join(f"{np.mean([line[f'{part}_margin'] for line in some]):+.3f}" for part in PARTS)
        least = " / ".join(f"{min(line[f'{part}_margin'] for line in some):+.3f}" for part in PARTS)
        text.append(f"{start} **{len(some)} sets** | | | **mean {means}**, least {least} | |")
    return "\n".join(text) + "\n"


def comparison_plot(lines, path):
    """Draw the margin over the best peer on each set, a panel for each budget; returns False without matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return False
    keys = list(dict.fromkeys((line["strokes"], line["budget"]) for line in lines))
    names = sorted({line["data"] for line in lines}, reverse=True)
    figure = Figure(figsize=(3.2 * len(keys) + 1.5, 0.3 * len(names) + 1.6), layout="constrained")
    axes = figure.subplots(1, len(keys), squeeze=False, sharey=True)[0]
    for axis, key in zip(axes, keys, strict=True):
        some = {line["data"]: line for line in lines if (line["strokes"], line["budget"]) == key}
        places = [names.index(name) for name in some]
        for part, color in zip(PARTS, ("#1f6feb", "#d4740b"), strict=True):
            margins = [line[f"{part}_margin"] for line in some.values()]
            axis.plot(margins, places, "o", color=color, label=f"{part} images")
            axis.axvline(np.mean(margins), color=color, ls=":", lw=1)
        axis.axvline(0, color="#57606a", lw=1)
        axis.set_title(f"{key[1]:g} s, {key[0]} strokes", fontsize=10)
        axis.grid(alpha=0.3)
    axes[0].set_yticks(range(len(names)), names)
    axes[0].legend(fontsize=8)
    figure.supxlabel("mean IoU of what is shown, minus that of the best peer (dotted: mean)", fontsize=9)
    figure.savefig(path, dpi=110)
    return True


def plot(rows, path):
    """Draw mIoU over seconds, a panel for each data and part; returns False without matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return False
    names = sorted({(row["data"], row["strokes"]) for row in rows})
    figure = Figure(figsize=(10, 3.6 * len(names)), layout="constrained")
    axes = figure.subplots(len(names), 2, squeeze=False)
    for i, name in enumerate(names):
        for axis, part in zip(axes[i], PARTS, strict=True):
            _panel(axis, [row for row in rows if (row["data"], row["strokes"]) == name], part)
            axis.set_title(f"{name[0]}, {part} images, {name[1]} strokes")
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
