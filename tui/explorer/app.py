"""The explorer holds the state, keeps the connection to the evaluator, and opens screens, which draw the state."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Final

from textual import work
from textual.binding import BindingType
from textual.reactive import reactive
from textual.worker import WorkerFailed

from core.coalitions.players import Removed
from core.errors import CornerstoneError
from core.evaluator import client
from core.evaluator.protocol import Hello, JobView, Open, Opened, Refusal, Request, Scored, StartJob, Toggle
from core.evaluator.silence import Silence, end
from tui.drawing.mends import explorer_text
from tui.drawing.plain import plain
from tui.explorer.actions import APP, bindings
from tui.explorer.command_palette import ActionCommands
from tui.explorer.job_text import jobs_text
from tui.explorer.key_order import KeysInOrder
from tui.explorer.screens.confirm import ConfirmDialog
from tui.explorer.screens.explore import ExploreScreen
from tui.explorer.screens.silence import SilenceDialog
from tui.explorer.session import Session, remember
from tui.explorer.state import State, after, is_shown, lost, resumed
from tui.worker_process import evaluator_command

_LOOK_EVERY_S: Final = 2.0

GONE = "the evaluator is gone; what it had written is safe. ctrl+r starts it again, and it goes on where it was"

ENDED = "the evaluator has ended; ctrl+r starts it again"

_ENDED_BY = {
    "explorer": "another explorer has ended the evaluator; what it had written is safe. ctrl+r starts it again",
    "signal": "the evaluator was ended from outside, by a signal; what it had written is safe. ctrl+r starts it again",
}


class Explorer(KeysInOrder):
    """The explorer of one store and its evaluator.

    Args:
        store: an absolute path.
        session: what to open if the evaluator has nothing open, and which sublayers are removed.
        insist: open the session even if the evaluator has something open.
        command: starts the evaluator.
        keymap: the user's own keys by the id of an action.
        notice: a sentence to show at the start.
    """

    TITLE = "Cornerstone"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("app", APP)]
    COMMANDS = {lambda: ActionCommands}  # noqa: RUF012 Textual's own type
    ENABLE_COMMAND_PALETTE = True

    state: reactive[State] = reactive(State)

    def __init__(
        self,
        store: Path,
        session: Session,
        *,
        insist: bool = False,
        command: Sequence[str] | None = None,
        keymap: Mapping[str, str] | None = None,
        notice: str | None = None,
    ) -> None:
        super().__init__()
        self.store = store
        self.config = session.config
        self._session = session
        self._insist = insist
        self._own_keys = dict(keymap or {})
        self._notice = notice
        self.fault: Exception | None = None
        """The error because of which it has ended."""
        self._command = list(command or evaluator_command(store))
        self._line: client.Connection | None = None
        self._interrupted: tuple[JobView, ...] = ()
        self._ending = False
        self._opening = False
        """Whether this explorer has asked to open something, and has not been answered."""

    def _handle_exception(self, error: Exception) -> None:
        """End because of an error that nobody foresaw. Textual would print a traceback with all variables."""
        if self.is_headless:
            super()._handle_exception(error)
            return
        self.fault = self.fault or (getattr(error, "error", error) if isinstance(error, WorkerFailed) else error)
        self._return_code = 1
        self._close_messages_no_wait()

    def on_mount(self) -> None:
        self.set_keymap(self._own_keys)
        self.push_screen(ExploreScreen())
        if self._notice is not None:
            self.say(self._notice, error=True)
        self.listen()

    @work(exclusive=True, group="line")
    async def listen(self, line: client.Connection | None = None) -> None:
        """Receive events from the evaluator until it is gone.

        Args:
            line: leads to an evaluator that another explorer has started, which gives it its work too.
        """
        self.state = replace(self.state, connection="starting", notice="")
        notice, self._ending = GONE, False
        try:
            self._line = line or await client.connect_or_start(self.store, self._command, self._hear)
            self._watch(self._line)
            async for event in self._line.events():
                if isinstance(event, Hello) and line is None:
                    await self._greet(self._line, event)
                if isinstance(event, Opened):
                    self._open(event)
                else:
                    self._opening = self._opening and not isinstance(event, Refusal)
                    self.state = after(self.state, event)
                if isinstance(event, Scored) and event.final and not is_shown(self.state, event):
                    self._evaluate_again()  # another explorer's toggle may have taken the place of this one's
        except CornerstoneError as error:
            notice = explorer_text(error)
        self._hear(None)
        self._line = None
        self._interrupted = self.state.unfinished
        if notice == GONE and self._ending:
            notice = ENDED
        elif notice == GONE and self.state.ended_by is not None:
            notice = _ENDED_BY[self.state.ended_by]
        self.state = lost(self.state, notice)
        self._look()

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
        if self._insist or not hello.busy:
            self._insist = False
            self._opening = True
            await line.send(Open(config=self.config))
        if not hello.busy:
            for job in self._interrupted:
                await line.send(StartJob(config=job.config, command=job.command))
        self._interrupted = ()

    def _open(self, opened: Opened) -> None:
        before = self.state.bench
        self.config = opened.config
        state = after(self.state, opened)
        self.state = resumed(state, self._session) if before is None else state
        if before is not None and before.model_id != opened.model_id and not self._opening:
            self.say(
                f"another explorer has opened {opened.model.name} in place of {before.model.name}; m chooses again"
            )
        self._opening = False
        self._evaluate_again()

    def watch_state(self, state: State) -> None:
        """Remember what must survive a lost terminal."""
        if state.bench is None:
            return
        bench = state.bench
        session = Session(config=bench.config, model_id=bench.model_id, task=state.task, removed=state.removed)
        if session != self._session:
            self._session = session
            remember(self.store, session)

    def _evaluate_again(self) -> None:
        """Ask for the removed coalition again, which other documents or a new evaluator do not have."""
        state = self.state
        if state.task is not None and state.removed and (state.shown_score is None or not state.shown_score.final):
            self.ask(Toggle(task=state.task, removed=state.removed))

    @work
    async def ask(self, request: Request) -> None:
        """Send a request. Its results arrive as events."""
        if self._line is None:
            starting = self.state.connection == "starting"
            self.say("the evaluator is still starting" if starting else "no evaluator: ctrl+r starts it", error=True)
            return
        self._opening = self._opening or isinstance(request, Open)
        try:
            await self._line.send(request)
        except CornerstoneError as error:
            self.say(explorer_text(error), error=True)

    def show_task(self, task: str) -> None:
        self.state = replace(self.state, task=task)

    def remove(self, removed: Removed) -> None:
        self.state = replace(self.state, removed=removed)

    def say(self, text: str, *, error: bool = False) -> None:
        """Show a message that disappears by itself."""
        self.notify(plain(text), severity="error" if error else "information", markup=False)

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
