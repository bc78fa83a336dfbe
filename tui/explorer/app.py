"""The explorer holds the state, keeps the connection to the evaluator, and opens screens, which draw the state."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Final, Literal

from textual import work
from textual.binding import BindingType
from textual.reactive import reactive
from textual.worker import WorkerFailed

from core.coalitions.players import Removed
from core.config.run_config import RunConfig
from core.errors import CornerstoneError
from core.evaluator import client
from core.evaluator.protocol import (
    Charts,
    Event,
    Hello,
    JobView,
    Open,
    Opened,
    Refusal,
    Request,
    StartJob,
    Toggle,
)
from core.evaluator.silence import Silence, end
from tui.drawing.mends import explorer_sentence, explorer_text
from tui.explorer.actions import APP, bindings
from tui.explorer.choices import Choices, replaced_text
from tui.explorer.command_palette import ActionCommands, PlaceCommands, open_commands
from tui.explorer.job_text import jobs_text
from tui.explorer.line_end import why_lost
from tui.explorer.obeying_app import ObeyingApp
from tui.explorer.pace import Pace
from tui.explorer.recent_models import remember_model
from tui.explorer.screens.confirm import ConfirmDialog
from tui.explorer.screens.explore import ExploreScreen
from tui.explorer.screens.silence import SilenceDialog
from tui.explorer.session import Session, remember
from tui.explorer.state import State, after, ends_another, from_store, lost, resumed, sent
from tui.explorer.stored_results import StoredResults
from tui.settings import Settings
from tui.worker_process import evaluator_command

_LOOK_EVERY_S: Final = 2.0
_STARTS_S: Final = 0.05

Start = Literal["resume", "latest", "insist", "choose"]
"""What an explorer opens at first."""


class Explorer(ObeyingApp):
    """The explorer of one store and its evaluator.

    Args:
        store: an absolute path.
        session: what to open if the evaluator has nothing open, and which sublayers are removed.
        start: ``resume`` opens the session if the evaluator has nothing open. ``latest`` opens what the store's latest
            run had open instead, if there is such a run. ``insist`` opens the session even if the evaluator has
            something open. ``choose`` shows the dialog that chooses, with the session in it, and opens nothing before.
        command: starts the evaluator.
        settings: the user's settings, with their own keys.
        notice: a sentence to show at the start.
    """

    TITLE = "Cornerstone"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("app", APP)]
    COMMANDS = {lambda: ActionCommands, lambda: PlaceCommands, open_commands}  # noqa: RUF012 Textual's own type
    ENABLE_COMMAND_PALETTE = True

    state: reactive[State] = reactive(State, repaint=False)

    def __init__(
        self,
        store: Path,
        session: Session,
        *,
        start: Start = "resume",
        command: Sequence[str] | None = None,
        settings: Settings = Settings(),  # noqa: B008 it is frozen
        notice: str | None = None,
    ) -> None:
        super().__init__(settings)
        self.store = store
        self.config = session.config
        self._session = session
        self._insist = start == "insist"
        self._choosing = start == "choose"
        self._latest = start == "latest"
        self._stored = StoredResults(store)
        self._held: list[Request] = []
        """The requests that wait until the evaluator has started."""
        self._pace = Pace(self._take)
        self._notice = notice
        self.fault: Exception | None = None
        """The error because of which it has ended."""
        self._command = list(command or evaluator_command(store))
        self._line: client.Connection | None = None
        self._interrupted: tuple[JobView, ...] = ()
        self._ending = False
        self.choices = Choices()

    def _handle_exception(self, error: Exception) -> None:
        """End because of an error that nobody foresaw. Textual would print a traceback with all variables."""
        if self.is_headless:
            super()._handle_exception(error)
            return
        self.fault = self.fault or (getattr(error, "error", error) if isinstance(error, WorkerFailed) else error)
        self._return_code = 1
        self._close_messages_no_wait()

    def on_mount(self) -> None:
        self.set_keymap(self.settings.keys)
        self.push_screen(ExploreScreen())
        if self._choosing:
            from tui.explorer.screens.choose import ChooseDialog

            self.push_screen(ChooseDialog(self.chosen))
        if self._notice is not None:
            self.say(self._notice, error=True)
        self.call_after_refresh(self._begin)  # the first screen is drawn before anything is read

    @work(exclusive=True, group="stored")
    async def _begin(self) -> None:
        """Show what is stored of the task that is looked at, then start the evaluator, which takes seconds."""
        await self._read_stored(self._session.task or "")
        self.listen()
        if self.state.bench is not None and len(self.state.bench.tasks) > 1:
            await self._read_stored()

    async def _read_stored(self, first: str | None = None) -> None:
        """Read what the store has of what is shown, or of the session, and show it where no model is open.

        Args:
            first: the key of the only task to read; None reads all.
        """
        view = await self._stored.read(self.state, self._session, None if self._latest else self.config, first)
        if view is not None and self._line is None:
            self.config = view.opened.config
            self.state = from_store(self.state, view.opened, view.charts, self._session)

    @work(exclusive=True, group="line")
    async def listen(self, line: client.Connection | None = None) -> None:
        """Receive events from the evaluator until it is gone.

        Args:
            line: leads to an evaluator that another explorer has started, which gives it its work too.
        """
        self.state = replace(self.state, connection="starting", notice="", resuming=len(self._interrupted))
        fault, self._ending = "", False
        try:
            self._line = line or await client.connect_or_start(self.store, self._command, self._hear)
            self._watch(self._line)
            async for event in self._line.events():
                if isinstance(event, Hello) and line is None:
                    await self._greet(self._line, event)
                self._pace.put(event, self.settings.redraws)
        except CornerstoneError as error:
            fault = explorer_text(error)
        self._pace.flush()
        self._hear(None)
        self._line = None
        self._interrupted = self.state.unfinished
        notice = fault or why_lost(self.state, own=self._ending)
        self.state = lost(self.state, notice)
        self.choices.lose(notice)
        self._look()
        self._read_stored_again()

    def _take(self, event: Event) -> None:
        """Show an event of the evaluator."""
        if isinstance(event, Opened):
            self._open(event)
        elif ends_another(self.state, event):
            self._evaluate_again()  # another explorer's toggle may have taken the place of this one's
        elif not (isinstance(event, Refusal) and event.asked and self._is_told(event)):
            before, self.state = self.state.notice, after(self.state, event)
            if isinstance(event, Refusal) and before and self.state.notice == before:
                self.say(before, error=True)  # the same refusal once more, which changes nothing that is drawn
        if isinstance(event, Charts) and event.task == self.state.task:
            self._evaluate_intact()

    @work(exclusive=True, group="stored")
    async def _read_stored_again(self, *, told: bool = False) -> None:
        """Read what the store has now; say why it cannot be read if this was asked for."""
        await self._read_stored()
        if told and self._stored.fault is not None:
            self.say(explorer_text(self._stored.fault), error=True)

    @work(exclusive=True, group="look")
    async def _look(self) -> None:
        """Go on once another explorer has started the evaluator again."""
        while self.state.connection == "lost":
            await asyncio.sleep(_LOOK_EVERY_S)
            try:
                line = await client.connect(self.store)
            except CornerstoneError:
                continue  # it is stopped or busy
            if line is not None and self.state.connection == "lost":
                self.listen(line)
            elif line is not None:
                await line.close()

    @work(exclusive=True, group="watch")
    async def _watch(self, line: client.Connection) -> None:
        await line.watch(self._hear)

    def _hear(self, silence: Silence | None) -> None:
        """Note that the evaluator does not answer, or answers again; offer to start another if it is stopped."""
        if silence == self.state.silence:
            return
        self.state = replace(self.state, silence=silence)
        if silence is None:
            if isinstance(self.screen, SilenceDialog):
                self.screen.dismiss(False)
        elif silence.stopped:
            self._offer_another(silence)

    def _offer_another(self, silence: Silence) -> None:
        def answer(another: bool | None) -> None:
            if another and silence == self.state.silence:
                end(silence)
                if self._line is not None:
                    self._interrupted = self.state.unfinished
                    self.listen()

        if not isinstance(self.screen, SilenceDialog):
            self.push_screen(SilenceDialog(silence), answer)

    async def _greet(self, line: client.Connection, hello: Hello) -> None:
        """Open what was open, unless the evaluator has work, and continue jobs that another evaluator left behind."""
        if self._insist or not (hello.busy or self._choosing):
            self._insist = False
            await line.send(self.choices.ask(self.config, self._session.by_hand))
        if not hello.busy:
            for job in self._interrupted:
                await line.send(StartJob(config=job.config, command=job.command, special=job.special))
        self._interrupted = ()
        held, self._held = self._held, []
        for request in held:
            await line.send(self.choices.named(request))

    def _open(self, opened: Opened) -> None:
        before = None if self.state.stored else self.state.bench
        first = before is None
        self.config = opened.config
        state = after(self.state, opened)
        self.state = resumed(state, self._session) if first else state
        self._choosing = False
        if self.choices.accept(opened.asked):
            remember_model(opened.config.model)
        elif before is not None and (text := replaced_text(before, opened)):
            self.say(text)
        self._evaluate_again()

    def _is_told(self, refusal: Refusal) -> bool:
        """Return whether a refused choice needs no notice: it is another explorer's, or a dialog shows it."""
        said = explorer_sentence(refusal.text, refusal.mend, self.state.store)
        return not self.choices.is_own(refusal.asked) or self.choices.refuse(refusal.asked, said)

    def watch_state(self, state: State) -> None:
        """Remember what must survive a lost terminal."""
        if state.bench is None:
            return
        bench, task = state.bench, state.task
        if state.stored and self._session.task not in (None, *(each.key for each in bench.tasks)):
            task = self._session.task  # nothing of it is stored yet, but it is opened next
        shown = {"config": bench.config, "by_hand": bench.by_hand, "model_id": bench.model_id}
        self.keep(self._session.model_copy(update={**shown, "task": task, "removed": state.removed}))

    def _evaluate_again(self) -> None:
        """Ask for the removed coalition again, which other documents or a new evaluator do not have."""
        state = self.state
        if state.refused or state.task is None or not state.removed:
            return
        if state.shown_score is None or not state.shown_score.final:
            self.ask(Toggle(task=state.task, removed=state.removed))

    def _evaluate_intact(self) -> None:
        """Have the intact model evaluated where nothing is known of the shown task, so that there is a first number."""
        task = self.state.bench_task
        if task is not None and self.state.is_empty and not self.state.unfinished and not task.most_new:
            self.ask(Toggle(task=task.key, removed=()))

    @work
    async def ask(self, request: Request) -> None:
        """Send a request. Its results arrive as events."""
        if isinstance(request, Toggle) and self._answered(request):
            return
        if self._line is None and self.state.connection == "starting":
            self._hold(request)
            return
        if self._line is None:
            self._say_alone(request)
            return
        try:
            await self._line.send(self.choices.named(request))
        except CornerstoneError as error:
            self.say(explorer_text(error), error=True)
        else:
            self.state = sent(self.state, request)

    def _answered(self, toggle: Toggle) -> bool:
        """Show the stored score of a coalition where no model is open; return whether that is all there is to know."""
        if not self._stored.known or not (self.state.stored or self._line is None):
            return False
        scored = self._stored.score(toggle)
        if scored is not None:
            self.state = after(self.state, scored)
        return self._line is None and (not toggle.removed or (scored is not None and scored.final))

    def _say_alone(self, request: Request) -> None:
        """Read the store again, or say that a request needs an evaluator."""
        bench = self.state.bench
        if isinstance(request, Open) and bench is not None and request.config == bench.config:
            self._read_stored_again(told=True)
            return
        what = "this is not stored, and no evaluator runs" if isinstance(request, Toggle) else "no evaluator"
        self.say(f"{what}: ctrl+r starts it", error=True)

    def _hold(self, request: Request) -> None:
        """Keep a request until the evaluator has started. A coalition is asked for by itself once a model is open."""
        if not isinstance(request, Toggle):
            self._held.append(request)
            self.say("the evaluator is still starting; it does this next")

    async def open(self, config: RunConfig) -> str | None:
        """Have a model and tasks opened; return why they were refused, None once they are open."""
        while self.state.connection == "starting":
            await asyncio.sleep(_STARTS_S)
        return await self.choices.have(config, None if self._line is None else self._line.send)

    def give_up(self) -> None:
        """Give up all that is being opened for this explorer."""
        for request in self.choices.give_up():
            self.ask(request)

    def show_task(self, task: str) -> None:
        self.keep(self._session.model_copy(update={"task": task}))  # also where the store lacks the one before
        self.state = replace(self.state, task=task)
        self._evaluate_intact()

    def remove(self, removed: Removed) -> None:
        self.state = replace(self.state, removed=removed, refused="")

    @property
    def chosen(self) -> RunConfig:
        """What was chosen to be open. A job may have opened more documents."""
        by_hand = self._session.by_hand
        return self.config if by_hand is None else self.config.model_copy(update={"limit": by_hand})

    @property
    def session(self) -> Session:
        return self._session

    def keep(self, session: Session) -> None:
        if session != self._session:
            self._session = session
            remember(self.store, session)

    def action_help(self) -> None:
        from tui.explorer.screens.help import HelpScreen

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(self.screen))

    def action_restart_evaluator(self) -> None:
        if self.state.silence is not None:
            self._offer_another(self.state.silence)
        elif self._line is None:
            self.listen()
        else:
            self.say("the evaluator is running")

    def action_stop_evaluator(self) -> None:
        def answer(yes: bool | None) -> None:
            if yes:
                self._stop_evaluator()

        if self.state.silence is not None:
            self._offer_another(self.state.silence)
        elif self.state.unfinished:
            question = f"{jobs_text(self.state.unfinished)}. End the evaluator, for every explorer of this store?"
            safe = "What is written is safe, and ctrl+r goes on from there."
            self.push_screen(ConfirmDialog(f"{question} {safe}", yes="end it", no="let it go on"), answer)
        else:
            self._stop_evaluator()

    @work
    async def _stop_evaluator(self) -> None:
        self._ending = True
        try:
            running = await client.stop(self.store)
        except CornerstoneError as error:
            self.say(explorer_text(error), error=True)
            return
        if not running:
            self.say("no evaluator is running")
