"""The paper's Tables 1 to 4 from stored results: models side by side, each beside the paper's own numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from core.paper.cornerstones import COLLAPSE, Evidence
from core.paper.drops import MeanDrop
from core.paper.published import TASKS
from core.paper.report import ModelReport, TaskReport
from core.paper.resampling import Measured
from core.paper.shares import TOP, TopShare
from tui.drawing.cornerstone_rule import RULE, VERDICTS, none_fits
from tui.drawing.plain import told_apart
from tui.paper.layout import UNBOUNDED, PaperTable, Section, Unit, percent, unit_of_values, with_interval

_CHOSEN_BY = {
    "rule": "the cornerstones of Table 2",
    "share": f"no player is known to fit the rule, so the {TOP} of the largest mean share",
    "drop": f"no shares are known, so the {TOP} of the largest mean drop, which flatters them",
}
_CLIPPING = (
    "Clipped: negative values count as 0, as in the paper. That makes noise count: with few documents a clipped share "
    "of the largest is too small and a clipped drop of the others too large. Intervals of clipped numbers say what as "
    "many other documents would give."
)

# With fewer documents, resamples do not show how much other documents would differ.
_FEW = 12

_NO_RULE = (
    "The first cannot be told of a value that has no chance level to fall to; accuracies have one (leave out --value)."
)
_LONG_ANSWERS = (
    "Nats are summed over an answer's tokens: where drops or values are averaged over tasks, long answers lead."
)


def names_of(models: Sequence[ModelReport]) -> dict[str, str]:
    """Return the name of each model, by its id."""
    return told_apart([(model.model, model.model_id) for model in models])


def paper_tables(models: Sequence[ModelReport], names: dict[str, str]) -> tuple[PaperTable, ...]:
    """Return all tables of these models.

    Args:
        models: at least one model.
        names: the name of each model, by its id.
    """
    called = [names[model.model_id] for model in models]
    return (
        _studied(models, called),
        _top_share(models, called),
        _cornerstones(models, called),
        _evidence(models, called),
        _drops(models, called),
        _drops_by_task(models, called),
    )


def _studied(models: Sequence[ModelReport], called: Sequence[str]) -> PaperTable:
    unit = _unit(models)

    def cell(model: ModelReport, task: TaskReport | None) -> str:
        if task is None or task.intact is None:
            return "-"
        chance = "" if task.chance is None else f", chance {unit.text(task.chance)}"
        return f"{task.value} {unit.text(task.intact)}{chance}, n={_documents(task)}"

    rows = [(name, *(cell(model, _task(model, task)) for model in models)) for task, name in _tasks_of(models)]
    players = ("players", *(str(len(model.players)) for model in models))
    notes = ["n a/b: a documents with every ablation, b with every window."] if _both_counted(models) else []
    if few := [name for task, name in _tasks_of(models) if any(_too_few(_task(model, task)) for model in models)]:
        notes.append(f"{', '.join(few)}: so few documents that intervals say little (fewer than {_FEW}).")
    if unit.score == "nats":
        notes.append(_LONG_ANSWERS)
    return PaperTable(
        "studied",
        f"What is stored: the intact model's score ({unit.score}){_guess(models)} and documents",
        ("task", *called),
        (Section("", (players, *rows)),),
        tuple(notes),
    )


def _unit(models: Sequence[ModelReport]) -> Unit:
    return unit_of_values({task.value for model in models for task in model.tasks})


def _guess(models: Sequence[ModelReport]) -> str:
    return ", a random guess's," if any(task.chance is not None for model in models for task in model.tasks) else ""


def _without_chance(model: ModelReport) -> bool:
    """Return whether no task has a chance level, so that the rule's first condition can never be checked."""
    return all(task.chance is None for task in model.tasks)


def _too_few(task: TaskReport | None) -> bool:
    return task is not None and any(0 < n < _FEW for n in (task.ablation_documents, task.shapley_documents))


def _documents(task: TaskReport) -> str:
    alone, windows = task.ablation_documents, task.shapley_documents
    return str(alone) if alone == windows else f"{alone}/{windows}"


def _both_counted(models: Sequence[ModelReport]) -> bool:
    counts = ((task.ablation_documents, task.shapley_documents) for model in models for task in model.tasks)
    return any(alone and alone != windows for alone, windows in counts)


def _top_share(models: Sequence[ModelReport], called: Sequence[str]) -> PaperTable:
    sections = (_shares(models, clipped=True), _shares(models, clipped=False))
    unbounded = any(cell.endswith(UNBOUNDED) for section in sections for row in section.rows for cell in row)
    return PaperTable(
        "table-1",
        f"Table 1. Share of the top {TOP} of all Shapley values (%)",
        ("", *_beside(models, called)),
        sections,
        (
            f"Per task: each task's own top {TOP} over the sum of all values; then the mean over tasks. Pooled: each "
            f"player's values averaged over tasks, then the top {TOP} of those.",
            *_partial(models, called, lambda task: task.top3 and task.top3.clipped),
            _CLIPPING,
            *(["No bounds: the sum of all values may as well be 0."] if unbounded else []),
        ),
    )


def _shares(models: Sequence[ModelReport], *, clipped: bool) -> Section:
    def cell(share: TopShare | None) -> str:
        return "-" if share is None else with_interval(share.clipped if clipped else share.unclipped)

    paper = [percent(model.published.top3) if model.published and clipped else "" for model in models]
    tasks = [
        (name, *_cells(models, [cell(_share(model, task)) for model in models])) for task, name in _tasks_of(models)
    ]
    mean = _cells(models, [cell(model.top3) for model in models], paper)
    pooled = _cells(models, [cell(model.pooled) for model in models])
    top4 = _cells(models, [cell(model.top4) for model in models], [_top4(model) if clipped else "" for model in models])
    means = (("mean over tasks", *mean), ("pooled values", *pooled), ("top 4, mean", *top4))
    return Section(_heading(clipped), (*tasks, *means))


def _top4(model: ModelReport) -> str:
    return percent(model.published.top4) if model.published else ""


def _partial(
    models: Sequence[ModelReport], called: Sequence[str], has: Callable[[TaskReport], object | None]
) -> list[str]:
    """Return a note on means over fewer tasks than the paper's; a task counts if it has the averaged number."""
    counts = [sum(task.task in TASKS and has(task) is not None for task in model.tasks) for model in models]
    short = [f"{name} {count}" for name, count in zip(called, counts, strict=True) if 0 < count < len(TASKS)]
    return [f"Partial: means over fewer than the paper's {len(TASKS)} tasks ({', '.join(short)})."] if short else []


def _heading(clipped: bool) -> str:
    return "clipped" if clipped else "unclipped"


def _share(model: ModelReport, task: str) -> TopShare | None:
    found = _task(model, task)
    return None if found is None else found.top3


def _cornerstones(models: Sequence[ModelReport], called: Sequence[str]) -> PaperTable:
    rows = []
    for model, name in zip(models, called, strict=True):
        found = [each for each in model.cornerstones.evidence if each.player in model.cornerstones.players]
        fitting = ", ".join(f"{each.label} ({each.verdict})" for each in found) or _none(model)
        top = model.labels(model.top3.players) if model.top3 else "-"
        known = ", ".join(model.published.cornerstones) if model.published else ""
        rows.append((name, fitting, top, known))
    paper = any(row[-1] for row in rows)
    header = ("model", "by the rule", f"top {TOP} by mean share", "paper")
    return PaperTable(
        "table-2",
        "Table 2. Cornerstone layers",
        header if paper else header[:-1],
        (Section("", tuple(row if paper else row[:-1] for row in rows)),),
        (
            f"{RULE} {_NO_RULE if all(map(_without_chance, models)) else VERDICTS} The paper names three a model and "
            "states no rule.",
        ),
    )


def _none(model: ModelReport) -> str:
    """Return the reason why the rule names no layer."""
    found = model.cornerstones
    verdicts = [each.verdict for each in found.evidence]
    return none_fits(verdicts, counted=bool(found.counted), chance=not _without_chance(model))


def _evidence(models: Sequence[ModelReport], called: Sequence[str]) -> PaperTable:
    sections, notes, below = [], [], False
    lost = not all(map(_without_chance, models))
    for model, name in zip(models, called, strict=True):
        notes.append(f"{name}: {_judged(model)}.")
        shown = _telling(model)
        sections.append(Section(name, tuple(_evidence_row(model, each, lost=lost) for each in shown)))
        below |= any(each.collapse is not None and each.collapse > 1 for each in shown)
    what = f"lost, of what is above chance (needed: {percent(COLLAPSE)}), and mean share" if lost else "mean share"
    return PaperTable(
        "evidence",
        f"Evidence for Table 2 (%): {what}",
        ("layer", "cornerstone?", *(["lost alone"] if lost else []), "share", "needed"),
        tuple(sections),
        (
            *notes,
            *(["Lost above 100: without that layer the model scores below chance."] if lost and below else []),
            "Intervals hold for all layers of a model at once. `cornerstone results cornerstones` has every layer.",
        ),
    )


def _evidence_row(model: ModelReport, each: Evidence, *, lost: bool) -> tuple[str, ...]:
    passes = each.share_low is not None and each.share_low >= each.needed_share
    verdict = "by share" if _without_chance(model) and passes else each.verdict
    alone = with_interval(_interval(each.collapse, each.collapse_low, each.collapse_high))
    share = with_interval(_interval(each.share, each.share_low, each.share_high))
    return (each.label, verdict, *([alone] if lost else []), share, percent(each.needed_share))


def _judged(model: ModelReport) -> str:
    """Return the tasks that the rule was applied to, in words."""
    found = model.cornerstones
    if _without_chance(model):
        value = ", ".join(dict.fromkeys(task.value for task in model.tasks))
        return (
            f"{value} has no chance level, so the share alone is judged; by share: it is surely large enough, no: "
            "surely not, open: neither is sure"
        )
    counted = f"over {', '.join(found.counted)}" if found.counted else "no task is known to be above chance"
    left_out = (("not above chance", found.at_chance), ("without a chance level", found.without_chance))
    said = "; ".join(f"{why}: {', '.join(tasks)}" for why, tasks in left_out if tasks)
    return f"{counted} ({said})" if said else counted


def _telling(model: ModelReport) -> list[Evidence]:
    """Return the evidence to show: cornerstones, the top by share, and the top by loss, in the order of layers."""
    evidence = model.cornerstones.evidence
    worst = sorted(evidence, key=lambda each: -(each.collapse if each.collapse is not None else -1.0))[:TOP]
    players = {
        *model.cornerstones.players,
        *(model.top3.players if model.top3 else ()),
        *(each.player for each in worst),
    }
    return [each for each in evidence if each.player in players]


def _interval(estimate: float | None, low: float | None, high: float | None) -> Measured | None:
    return None if estimate is None else Measured(estimate, low, high)


def _drops(models: Sequence[ModelReport], called: Sequence[str]) -> PaperTable:
    return PaperTable(
        "table-3",
        f"Table 3. Drop after removing one layer ({_unit(models).drop})",
        ("", *_beside(models, called)),
        (_mean_drops(models, clipped=True), _mean_drops(models, clipped=False)),
        (
            *(_carriers(model, name) for model, name in zip(models, called, strict=True)),
            *_partial(models, called, lambda task: task.other_drop),
            "Per task and layer the drop, intact minus ablated over the same documents; then the mean over layers, "
            "then over tasks. C layers were picked on the same documents, which their intervals do not know.",
        ),
    )


def _mean_drops(models: Sequence[ModelReport], *, clipped: bool) -> Section:
    unit, known = _unit(models), [model.published if clipped else None for model in models]
    of = [percent(paper.cornerstone_drop) if paper else "" for paper in known]
    others = [percent(paper.other_drop) if paper else "" for paper in known]
    lost = [_drop(model.cornerstone_drop, unit, clipped=clipped) for model in models]
    other_lost = [_drop(model.other_drop, unit, clipped=clipped) for model in models]
    rows = (("C layers", *_cells(models, lost, of)), ("NC layers", *_cells(models, other_lost, others)))
    return Section(_heading(clipped), rows)


def _carriers(model: ModelReport, name: str) -> str:
    if model.chosen is None:
        return f"{name}: no ablation of all layers is stored."
    return (
        f"{name}: C layers are {model.labels(model.chosen.players)} ({_CHOSEN_BY[model.chosen.by]}); NC are all others."
    )


def _drops_by_task(models: Sequence[ModelReport], called: Sequence[str]) -> PaperTable:
    unit = _unit(models)

    def section(*, clipped: bool) -> Section:
        rows = []
        for task, name in _tasks_of(models):
            ours = [_drop(_other_drop(model, task), unit, clipped=clipped) for model in models]
            paper = [_paper(model, task) if clipped else "" for model in models]
            rows.append((name, *_cells(models, ours, paper)))
        return Section(_heading(clipped), tuple(rows))

    return PaperTable(
        "table-4",
        f"Table 4. Drop after removing one NC layer, by task ({unit.drop})",
        ("task", *_beside(models, called)),
        (section(clipped=True), section(clipped=False)),
        ("Per layer the drop, then the mean over the NC layers of Table 3.",),
    )


def _other_drop(model: ModelReport, task: str) -> MeanDrop | None:
    found = _task(model, task)
    return None if found is None else found.other_drop


def _drop(drop: MeanDrop | None, unit: Unit, *, clipped: bool) -> str:
    return "-" if drop is None else unit.with_interval(drop.clipped if clipped else drop.unclipped)


def _paper(model: ModelReport, task: str) -> str:
    return percent(model.published.other_drops.get(task)) if model.published else ""


def _task(model: ModelReport, task: str) -> TaskReport | None:
    return next((each for each in model.tasks if each.task == task), None)


def _tasks_of(models: Sequence[ModelReport]) -> list[tuple[str, str]]:
    """Return the tasks of all models, in the paper's order, and their printed names."""
    return list(dict.fromkeys((task.task, task.name) for model in models for task in model.tasks))


def _beside(models: Sequence[ModelReport], called: Sequence[str]) -> list[str]:
    """Return a column per model, and another for the paper's numbers if the paper has the model."""
    pairs = zip(models, called, strict=True)
    return [name for model, called_ in pairs for name in ((called_, "paper") if model.published else (called_,))]


def _cells(models: Sequence[ModelReport], ours: Sequence[str], paper: Sequence[str] | None = None) -> list[str]:
    """Return our cells, each followed by the paper's if the paper has the model."""
    cells = []
    for model, own, known in zip(models, ours, paper or [""] * len(models), strict=True):
        cells += [own, known] if model.published else [own]
    return cells
