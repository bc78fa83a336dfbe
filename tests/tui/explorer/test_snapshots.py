"""Pictures of every screen at three sizes and in four looks; ``pytest --snapshot-update`` takes them anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from textual.pilot import Pilot

from core.config.run_config import RunConfig
from core.evaluator.address import log_path
from core.evaluator.protocol import Request, Said, Say
from core.evaluator.silence import Silence
from core.say.said import Dialogue, Voice
from store.sql.query import Query
from tests.support import example_state as example
from tests.support.example_home import home_rows
from tests.support.picture import picture
from tests.support.screen_host import EVERY_WINDOW, fill, settled
from tests.support.store_records import assignment, documents, drawn_scores, keep_all, model, task
from tui.explorer.app import Explorer
from tui.explorer.screens.choose import ChooseDialog
from tui.explorer.screens.home_feed import HomeFeed
from tui.explorer.session import Session
from tui.explorer.state import State, after, lost
from tui.settings import Settings

SIZES: Final = ((80, 24), (120, 35), (200, 60))
HOME_SIZES: Final = ((40, 12), (60, 20), *SIZES)
"""Home fills every terminal, each in another way."""

LOOKS: Final = {
    "dark": Settings(),
    "light": Settings(theme="light"),
    "monochrome": Settings(theme="monochrome"),
    "ascii": Settings(characters="ascii"),
}
CONFIG = RunConfig.model_validate({"tasks": ["agreement", "capitals"], "limit": 32})


class Still(Explorer):
    """An explorer without an evaluator, which shows a state that is given."""

    def __init__(self, store: Path, shown: State, settings: Settings = LOOKS["dark"]) -> None:
        super().__init__(store, Session(config=CONFIG), settings=settings)
        self.shown = shown

    def listen(self) -> None:  # type: ignore[override]
        self.state = self.shown


class Answering(Still):
    """It answers a prompt at once, as an evaluator would after a while."""

    def ask(self, request: Request) -> None:  # type: ignore[override]
        if isinstance(request, Say):
            self.state = after(self.state, Said(ident=request.ident, dialogue=SPOKEN, ended=True))


SPOKEN = Dialogue(
    intact=Voice(text=" Paris, [red]of course[/].", tokens=6, top=((" Paris", 0.81), ("\n", 0.1)), end="end of text"),
    masked=Voice(text=" the the the", tokens=3, top=((" the", 0.3), ("\x1b[31m", 0.0004)), end="length"),
    chat=False,
)
FAILED = example.job(job=2, state="failed", error="Traceback\n  [red]out of memory[/]", title="ablation on capitals")
JOBS = example.state(jobs=(example.job(), FAILED))
SILENT = example.state(silence=Silence(4711, stopped=True))
QUERY = "SELECT document, prompt FROM documents"


@dataclass(frozen=True, slots=True)
class Shown:
    """A screen: what the explorer knows, the keys that lead there (after an = a text), and which store it has."""

    keys: tuple[str, ...] = ()
    state: State = State()  # noqa: RUF009 it is frozen
    store: str = "one"


HOME = example.state()
SCREENS: Final[MappingProxyType[str, Shown]] = MappingProxyType(
    {
        "explore": Shown((), HOME),
        "choose": Shown(("m",), HOME),
        "run": Shown(("r",), HOME),
        "sets": Shown(("s", "down"), HOME),
        "go to": Shown(("g", "=ffn 1"), HOME),
        "say": Shown(("w", "=The capital of France is", "ctrl+t", "enter"), replace(HOME, connection="connected")),
        "jobs": Shown(("j", "down"), JOBS),
        "log": Shown(("j", "o", "tab", "slash", "=is loaded"), JOBS),
        "confirm": Shown(("ctrl+e",), JOBS),
        "silence": Shown(("ctrl+r",), SILENT),
        "help": Shown(("f1",), HOME),
        "find": Shown(("f1", "slash", "=ffn"), HOME),
        "settings": Shown(("comma", "down"), HOME),
        "export": Shown(("e",), HOME),
        "results": Shown(("b",)),
        "filter": Shown(("b", "slash", "=drop > .1")),
        "documents": Shown(("b", "down", "enter")),
        "sql": Shown(("colon", f"={QUERY}", "enter", "escape", "down", "s")),
        "compare": Shown(("v", "down", "right"), HOME, "two"),
        "shares": Shown(("v", "t", "t", "down"), HOME, "two"),
        "pick": Shown(("v", "t", "t", "o"), HOME, "two"),
        "path": Shown(("v", "t", "t", "t", "t", "t", "t", "r"), HOME, "two"),
    }
)
VARIANTS: Final[MappingProxyType[str, Shown]] = MappingProxyType(
    {
        "nothing yet": Shown((), State(narration="loading smollm2-135m-instruct")),
        "evaluator gone": Shown((), lost(HOME, "the evaluator is gone; ctrl+r starts it again")),
        "eighty layers": Shown((), example.state(80)),
        "hybrid": Shown(("right", "right", "down"), example.state(example.HYBRID)),
        "hybrid, nothing evaluated": Shown(("shift+right", "shift+down"), example.state(example.HYBRID, charts={})),
        "dense first layer": Shown(("down", "right"), example.state(example.DENSE_FIRST)),
        "four a layer": Shown(("down", "down", "right"), example.state(example.FOUR)),
        "deep, three a layer": Shown(("end", "up"), example.state(example.DEEP)),
        "one a layer": Shown((), example.state(example.ONE)),
        "single experts": Shown(("right", "down", "right"), example.state(example.EXPERTS)),
        "run refused": Shown(("r", "left", "left"), HOME),
        "shapley": Shown(("b", "t", "t")),
        "interactions": Shown(("b", "t", "t", "t", "down")),
        "cornerstones": Shown(("b", "t", "t", "t", "t")),
        "paper": Shown(("v", "t"), HOME, "two"),
        "pairs": Shown(("v", "t", "t", "t"), HOME, "two"),
        "sql, nothing asked": Shown(("colon",)),
        "say, nothing asked": Shown(("w",), HOME),
    }
)
"""Other things that the same screens show."""


class _Pictures(SingleFileSnapshotExtension):
    """Keeps the pictures of a test in a text file."""

    file_extension = "txt"
    _write_mode = WriteMode.TEXT


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return a store of one model on one task, and one of two models on two tasks. They are only read."""
    folder = tmp_path_factory.mktemp("pictures")
    one, two = folder / "one.duckdb", folder / "two.duckdb"
    fill(one)
    for at, name in enumerate(("tiny", "tiny-other")):
        for task_name in ("capitals", "rivers"):
            asked = assignment(documents(range(8)), EVERY_WINDOW, of_model=model(name), of_task=task(task_name))
            acc = drawn_scores(EVERY_WINDOW, 8, at, intact=0.9, lost=0.2)
            keep_all(two, asked, acc, run_id=f"{name} {task_name}")
    log_path(one).write_text("\n".join(f"{at} [red]layer[/] {at} is loaded" for at in range(40)))
    return {"one": one, "two": two}


@pytest.fixture
def still(stores: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep out what differs by machine and by time. Stores are named from their folder, whose own name differs."""
    monkeypatch.chdir(stores["one"].parent)
    monkeypatch.setattr(ChooseDialog, "_look", lambda _self: None)
    monkeypatch.setattr("tui.explorer.screens.home_feed.read_home", home_rows)
    monkeypatch.setattr("tui.explorer.screens.home_feed._SOON_S", 0.01)
    monkeypatch.setattr("tui.explorer.screens.settings.settings_path", lambda: Path.home() / "cornerstone.yaml")
    answered = Query.result
    monkeypatch.setattr(Query, "result", lambda query: replace(answered(query), seconds=0.0))
    monkeypatch.setattr("textual.widgets.Input.cursor_blink", False, raising=False)


async def _come_to_rest(pilot: Pilot[None]) -> None:
    """Wait until what large terminals show besides is there too."""
    await settled(pilot)
    feeds = pilot.app.screen_stack[1].query(HomeFeed)
    while any(feed.waits for feed in feeds):
        await settled(pilot)


async def _pictures(app: Explorer, keys: tuple[str, ...], sizes: tuple[tuple[int, int], ...]) -> str:
    """Return pictures of where keys lead, at each size. The explorer is started at the first."""
    async with app.run_test(size=sizes[0]) as pilot:
        await _come_to_rest(pilot)
        for key in keys:
            typed = [{" ": "space"}.get(letter, letter) for letter in key[1:]] if key[0] == "=" else [key]
            await pilot.press(*typed)
            await _come_to_rest(pilot)
        taken = []
        for size in sizes:
            await pilot.resize_terminal(*size)
            await _come_to_rest(pilot)
            taken.append(picture(app))
    return "\n".join(taken)


def _slow(*, slow: bool) -> list[pytest.MarkDecorator]:
    return [pytest.mark.slow] if slow else []


def _cases() -> Iterator[Any]:
    for name, shown in SCREENS.items():
        sizes = HOME_SIZES if name == "explore" else SIZES
        for look in LOOKS:
            yield pytest.param(shown, look, sizes, marks=_slow(slow=look != "dark"), id=f"{name}-{look}")
    for name, shown in VARIANTS.items():
        for size in SIZES:
            mark = _slow(slow=size != SIZES[0])
            yield pytest.param(shown, "dark", (size,), marks=mark, id=f"{name}-{size[0]}x{size[1]}")


@pytest.mark.usefixtures("still")
@pytest.mark.parametrize(("shown", "look", "sizes"), list(_cases()))
async def test_it_looks_as_it_did(
    shown: Shown,
    look: str,
    sizes: tuple[tuple[int, int], ...],
    stores: dict[str, Path],
    snapshot: SnapshotAssertion,
) -> None:
    app = Answering(Path(stores[shown.store].name), shown.state, LOOKS[look])
    assert await _pictures(app, shown.keys, sizes) == snapshot(extension_class=_Pictures)
