"""The public function `report`."""

import time
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from histowidgets import __version__
from histowidgets._io import as_path, atomic_write, written
from histowidgets.annotations import Project
from histowidgets.errors import ProjectError, ReportCancelled, ReportError
from histowidgets.reporting._content import MOST_PICTURES, Content, Gatherer
from histowidgets.reporting._notebook import chain_of, project_path, replay_notebook

if TYPE_CHECKING:
    from histowidgets.prediction import Classifier
    from histowidgets.training import Run

#: Called with the number of finished steps, the total number, the name of the step that begins, and the estimated
#: seconds left (None before the first step has ended).
Progress = Callable[[int, int, str, float | None], object]

ENDINGS = (".html", ".htm")


def report(
    project: "Project | str | PathLike[str]",
    path: str | PathLike[str],
    *,
    run: "Run | None" = None,
    classifier: "Classifier | str | PathLike[str] | None" = None,
    notebook: bool = True,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Path:
    """Write what a project contains, what was trained, and what came of it, as a single HTML file.

    The file needs no network and no other file. It has the images with their annotations, the training with its curves
    and their diagnosis, scores on held-out labels and audits with 95 % intervals, predictions with areas, settings,
    seeds and versions, and a methods paragraph with references that states only what happened. What is missing, such as
    a run or an image that cannot be read, is said in it.

    Beside it lies a notebook with the same name, ``.ipynb``, that replays the training without a page, to the same
    weights; see `repeat_training`.

    Parameters
    ----------
    project : Project or path
        The project, or its folder.
    path : path
        The file to write, ``.html``. Its folder is created if missing.
    run : Run, optional
        The run to report on; by default the last one in the project's folder that kept weights.
    classifier : Classifier or path, optional
        What predicts the images that were not predicted to disk, up to 4 million pixels each; by default that of the
        run.
    notebook : bool, default True
        Whether to write the notebook; it needs a project with a folder that has a run.
    progress : callable, optional
        ``progress(done, total, step, seconds_left)`` is called as each step begins, and at the end.
    should_stop : callable, optional
        Called between steps and during predictions; if it returns True, the report is cancelled.

    Returns
    -------
    Path
        The file that was written.

    Raises
    ------
    ReportError
        If the file cannot be written, or its name does not end in ``.html``.
    ReportCancelled
        When `should_stop` says so; nothing is written.
    ProjectError
        If there is no such project.
    ClassifierError
        If the folder of the classifier cannot be read.
    """
    target = as_path(path, ReportError)
    if target.suffix.lower() not in ENDINGS:
        raise ReportError(f"The report {target} does not end in .html. Give a name such as report.html.")
    if isinstance(classifier, str | PathLike):
        from histowidgets.prediction import Classifier

        classifier = Classifier.load(classifier)
    opened = None
    if isinstance(project, str | PathLike):
        project = opened = Project.open(project)
    elif not isinstance(project, Project):
        raise ProjectError(f"The project is {project!r:.80}; expected a Project or its folder.")
    try:
        return _write(project, target, run, classifier, notebook, progress, should_stop or (lambda: False))
    finally:
        if opened is not None:
            opened.close()


def _write(
    project: Project,
    target: Path,
    run: "Run | None",
    classifier: "Classifier | None",
    notebook: bool,
    progress: Progress | None,
    should_stop: Callable[[], bool],
) -> Path:
    total, done, began = Gatherer.steps(project), 0, time.monotonic()

    def tell(step: str) -> None:
        nonlocal done
        if should_stop():
            raise ReportCancelled("The report was cancelled; nothing was written.")
        if progress is not None:
            left = None if not done else (time.monotonic() - began) / done * (total - done)
            progress(done, total, step, left)
        done += 1

    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ReportError(
            f"{target} cannot be written: {error.strerror or error}. Choose a folder that you may write to."
        ) from error
    with atomic_write(target, ReportError) as part:
        part.touch()  # refuses a folder that cannot be written before the work
        content = Gatherer(project, run, classifier, tell, should_stop).gather()
        tell("writing the report")
        replay = _replay(project, content, target) if notebook else None
        part.write_text(html_of(content), encoding="utf-8")
        if replay is not None:
            with atomic_write(target.with_suffix(".ipynb"), ReportError) as other:
                other.write_text(written(replay), encoding="utf-8")
    if progress is not None:
        progress(total, total, "done", 0.0)
    return target


def _replay(project: Project, content: Content, target: Path) -> str | None:
    """Return the notebook, and name it in the content; None, with the reason in the content, if there can be none."""
    run, why = content.run, ""
    chain = None if run is None else chain_of(run, content.all_runs)
    if project.folder is None:
        why = "The project is in memory only, so there is no notebook that replays its training."
    elif run is not None and not run.about.get("steps"):
        why = "The run did not record all that is needed to replay it, so there is no notebook."
    elif run is not None and chain is None:
        why = (
            f"The run continued from {run.continued_from or 'a classifier'}, which is not in the project's folder, so "
        )
        why += "there is no notebook that replays it."
    if why and run is not None:
        content.missing.append(why)
    if why or chain is None or project.folder is None:
        return None
    path = target.with_suffix(".ipynb")
    content.notebook = path.name
    return replay_notebook(content.title, target.name, project_path(Path(project.folder), path), chain)


def html_of(content: Content) -> str:
    """Return the report as HTML; everything that people typed is escaped."""
    environment = Environment(
        loader=PackageLoader("histowidgets.reporting"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template("report.html.jinja").render(
        content=content, version=__version__, most_pictures=MOST_PICTURES
    )
    return written(page)
