"""A project made as simply as possible, to hold the real one against: all states are kept whole."""

import copy
import dataclasses

import numpy as np
from hypothesis import strategies as st

from histowidgets.annotations import PALETTE, Line, Polygon, Rectangle, Stroke, rasterize
from histowidgets.errors import ProjectError
from histowidgets.images import ArrayImage, Region

WIDTH, HEIGHT = 24, 18
REGION = Region(0, 0, WIDTH, HEIGHT)

_numbers = st.integers(-40, 240).map(lambda n: n / 8)
_points = st.tuples(_numbers, _numbers)
_widths = st.integers(1, 60).map(lambda n: n / 4)
SHAPES = st.one_of(
    st.builds(Stroke, st.lists(_points, min_size=1, max_size=3), _widths),
    st.lists(st.tuples(_points, _widths), min_size=1, max_size=3).map(
        lambda both: Stroke([p for p, _ in both], [w for _, w in both])
    ),
    st.builds(Line, st.lists(_points, min_size=2, max_size=3), _widths),
    st.builds(Polygon, st.lists(_points, min_size=3, max_size=5)),
    st.builds(Rectangle, _numbers, _numbers, _widths, _widths),
)
_pick = st.integers(0, 7)
_picks = st.lists(_pick, min_size=1, max_size=3)
_step = st.integers(-30, 30).map(lambda n: n / 2)
EDITS = st.one_of(
    st.tuples(st.just("annotate"), _pick, SHAPES, _pick),
    st.tuples(st.just("annotate"), _pick, SHAPES, _pick),
    st.tuples(st.just("erase"), _pick, SHAPES),
    st.tuples(st.just("remove"), _pick, _picks),
    st.tuples(st.just("move"), _pick, _picks, _step, _step),
    st.tuples(st.just("reclassify"), _pick, _picks, _pick),
    st.tuples(st.just("paste"), _pick, _pick, _step, _step),
    st.tuples(st.just("add_class"), _pick),
    st.tuples(st.just("rename_class"), _pick, _pick),
    st.tuples(st.just("recolor_class"), _pick, _pick),
    st.tuples(st.just("merge_classes"), _picks, _pick),
    st.tuples(st.just("delete_class"), _pick),
    st.tuples(st.just("set_role"), _pick, st.sampled_from(["both", "train", "validation"])),
    st.tuples(st.just("add_image"), _pick),
    st.tuples(st.just("remove_image"), _pick),
    st.tuples(st.just("undo")),
    st.tuples(st.just("undo")),
    st.tuples(st.just("redo")),
)


class Model:
    """The same edits on plain lists and dictionaries; undo takes the state before out of a list."""

    def __init__(self, project):
        self.project = project
        self.now = {"classes": [[k, project.colors[k]] for k in project.classes], "images": {}}
        self.before, self.after = [], []

    def edit(self, kind, *values):
        """Make an edit on both; a refused one must leave both as they were."""
        arguments = getattr(self, f"_{kind}_arguments", lambda *v: v)(*values)
        if arguments is None:
            return  # there is nothing to make it with
        try:
            result = getattr(self.project, kind)(*arguments)
        except ProjectError:
            return
        if kind in ("undo", "redo"):
            self._step(result, *((self.before, self.after) if kind == "undo" else (self.after, self.before)))
            return
        old = copy.deepcopy(self.now)
        getattr(self, f"_{kind}")(result, *arguments)
        if kind != "add_image":
            self.before.append(old)
            self.after.clear()

    def check(self):
        """Hold everything that can be seen against the model."""
        project, now = self.project, self.now
        assert list(project.colors.items()) == [tuple(c) for c in now["classes"]]
        names = project.classes
        assert project.image_names == list(now["images"])
        counts = dict.fromkeys(names, 0)
        for name, (role, drawn) in now["images"].items():
            assert project.role(name) == role
            assert [(a.id, a.shape, a.class_name) for a in project.annotations(name)] == [tuple(d) for d in drawn]
            np.testing.assert_array_equal(project.label_map(name), self.label_map(name))
            for _, _, class_name in drawn:
                if class_name is not None:
                    counts[class_name] += 1
        assert project.count() == counts
        assert (project.can_undo, project.can_redo) == (bool(self.before), bool(self.after))

    def label_map(self, name):
        """One annotation after another, each drawn alone."""
        labels = np.full((HEIGHT, WIDTH), 255, np.uint8)
        names = [c for c, _ in self.now["classes"]]
        annotations = {a.id: a for a in self.project.annotations(name)}
        for identity, _, class_name in self.now["images"][name][1]:
            alone = dataclasses.replace(annotations[identity], class_name="x")
            inside = rasterize([alone], {"x": 0}, REGION) == 0
            labels[inside] = 255 if class_name is None else names.index(class_name)
        return labels

    def _step(self, done, source, target):
        assert done == bool(source)
        if done:
            target.append(self.now)
            self.now = source.pop()

    # --- what the numbers of an edit mean here and now ---

    def _image(self, pick):
        names = self.project.image_names
        return names[pick % len(names)] if names else None

    def _class(self, pick):
        return self.project.classes[pick % len(self.project.classes)]

    def _ids(self, pick, picks):
        name = self._image(pick)
        drawn = self.project.annotations(name) if name else ()
        return [drawn[p % len(drawn)].id for p in picks] if drawn else None

    def _annotate_arguments(self, pick, shape, class_pick):
        name = self._image(pick)
        return name and (name, shape, self._class(class_pick))

    def _erase_arguments(self, pick, shape):
        name = self._image(pick)
        return name and (name, shape)

    def _remove_arguments(self, pick, picks):
        ids = self._ids(pick, picks)
        return ids and (ids,)

    def _move_arguments(self, pick, picks, dx, dy):
        ids = self._ids(pick, picks)
        return ids and (ids, dx, dy)

    def _reclassify_arguments(self, pick, picks, class_pick):
        ids = self._ids(pick, picks)
        return ids and (ids, self._class(class_pick))

    def _paste_arguments(self, source, target, dx, dy):
        source, target = self._image(source), self._image(target)
        return source and (target, self.project.annotations(source), dx, dy)

    def _add_class_arguments(self, pick):
        return f"class {pick}", PALETTE[pick]

    def _rename_class_arguments(self, pick, other):
        return self._class(pick), f"class {other}"

    def _recolor_class_arguments(self, pick, other):
        return self._class(pick), PALETTE[other]

    def _merge_classes_arguments(self, picks, into):
        return [self._class(p) for p in picks], self._class(into)

    def _delete_class_arguments(self, pick):
        return (self._class(pick),)

    def _set_role_arguments(self, pick, role):
        name = self._image(pick)
        return name and (name, role)

    def _add_image_arguments(self, pick):
        return (ArrayImage(np.zeros((HEIGHT, WIDTH), np.uint8), f"image {pick}"),)

    def _remove_image_arguments(self, pick):
        name = self._image(pick)
        return name and (name,)

    # --- the edits ---

    def _drawn(self, ids):
        for _, drawn in self.now["images"].values():
            yield from (d for d in drawn if d[0] in ids)

    def _annotate(self, identity, name, shape, class_name):
        self.now["images"][name][1].append([identity, shape, class_name])

    def _erase(self, identity, name, shape):
        self._annotate(identity, name, shape, None)

    def _remove(self, _, ids):
        for _, drawn in self.now["images"].values():
            drawn[:] = [d for d in drawn if d[0] not in ids]

    def _move(self, _, ids, dx, dy):
        for one in self._drawn(ids):
            one[1] = one[1].moved(dx, dy)

    def _reclassify(self, _, ids, class_name):
        for one in self._drawn(ids):
            assert one[2] is not None
            one[2] = class_name

    def _paste(self, ids, name, annotations, dx, dy):
        moved = [(a.shape.moved(dx, dy), a.class_name) for a in annotations]
        kept = [m for m in moved if m[0].region().intersect(REGION)]
        assert len(kept) == len(ids)
        for identity, (shape, class_name) in zip(ids, kept, strict=True):
            self._annotate(identity, name, shape, class_name)

    def _add_class(self, _, name, color):
        self.now["classes"].append([name, color])

    def _rename_class(self, _, old, new):
        self.now["classes"] = [[new if name == old else name, color] for name, color in self.now["classes"]]
        self._give([old], new)

    def _recolor_class(self, _, name, color):
        self.now["classes"] = [[n, color if n == name else c] for n, c in self.now["classes"]]

    def _merge_classes(self, _, names, into):
        self.now["classes"] = [c for c in self.now["classes"] if c[0] == into or c[0] not in names]
        self._give(names, into)

    def _delete_class(self, _, name):
        assert not any(d[2] == name for _, drawn in self.now["images"].values() for d in drawn)
        self.now["classes"] = [c for c in self.now["classes"] if c[0] != name]

    def _set_role(self, _, name, role):
        self.now["images"][name][0] = role

    def _add_image(self, name, _):
        for state in (self.now, *self.before, *self.after):  # it cannot be undone
            state["images"][name] = ["both", []]

    def _remove_image(self, _, name):
        del self.now["images"][name]

    def _give(self, names, into):
        for _, drawn in self.now["images"].values():
            for one in drawn:
                if one[2] in names:
                    one[2] = into
