"""The screen where both models continue a prompt, side by side, with the likeliest next tokens of each below."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Label, Static

from core.coalitions.players import Removed, parse_removed
from core.errors import CornerstoneError
from core.evaluator.protocol import Said, Say, StopSaying
from core.say.said import DEFAULT_TOKENS, MOST_PROMPT, MOST_SEED, MOST_TOKENS, Ask, Dialogue
from tui.drawing.coalition_name import coalition_name
from tui.drawing.command_line import say_command
from tui.drawing.numbers import whole
from tui.drawing.plain import plain, plain_lines
from tui.drawing.voices import end_text, manner_text
from tui.explorer.actions import SAY, bindings
from tui.explorer.browsing import LONGEST, LONGEST_WRITTEN, Saying
from tui.explorer.clipboard import copy
from tui.explorer.prompt_history import keep_prompt, read_history
from tui.explorer.screens.base import ExplorerScreen
from tui.explorer.state import State
from tui.explorer.widgets.next_tokens import NextTokens
from tui.explorer.widgets.prompt_area import PromptArea
from tui.explorer.widgets.spoken_text import SpokenText
from tui.explorer.widgets.ticks import Tick

_STOPPED = "stopped; enter says it again"
_LOST = "the evaluator is gone in the middle of it; ctrl+r starts it again, and enter says it again"


@dataclass(frozen=True, slots=True)
class Given:
    """A prompt from elsewhere, as the model of a document has read it, and the coalition that it is looked at under."""

    prompt: str
    model_id: str | None
    removed: Removed


class SayScreen(ExplorerScreen):
    """Asks the evaluator to continue prompts, one at a time; what other explorers ask for is not shown.

    Args:
        given: a prompt to begin with. It needs no chat template, as a document's prompt has one if its task wants it.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("say", SAY)]
    AUTO_FOCUS = "PromptArea"
    TITLE = "Say something"
    DEFAULT_CSS = """
    SayScreen {
        #status { height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
        #how { height: 1; margin: 1 0; }
        #how Label { margin-right: 1; color: $text-muted; }
        #how Input { background: $panel; margin-right: 2; }
        #without { width: 1fr; min-width: 12; }
        #seed { width: 10; }
        #tokens { width: 6; }
        #how Tick { width: auto; height: 1; }
        #voices { height: 1fr; }
        #voices Vertical { width: 1fr; }
        SpokenText { height: 1fr; min-height: 3; }
        #status { color: $text-muted; }
        #status.-fault { color: $text-error; text-style: bold; }
    }
    """

    def __init__(self, given: Given | None = None) -> None:
        super().__init__()
        self._given = given
        self._shown_prompt = ""
        self._history = read_history()
        self._filled = False
        self._title = "without these layers"
        self._waiting = False
        self._going_on: Say | None = None
        self._heard: Said | None = None

    def body(self) -> ComposeResult:
        saying = Saying(chat=False) if self._given is not None else self.explorer.session.saying
        yield PromptArea(id="prompt")
        with Horizontal(id="how"):
            yield Label("without")
            yield Input(id="without", placeholder="nothing; e.g. FFN 0", compact=True)
            yield Label("seed")
            yield Input(saying.seed, id="seed", placeholder="greedy", compact=True)
            yield Label("tokens")
            yield Input(str(DEFAULT_TOKENS) if saying.tokens is None else saying.tokens, id="tokens", compact=True)
            yield Tick("chat template", saying.chat, id="chat")
        with Horizontal(id="voices"):
            for name in ("intact", "masked"):
                with Vertical():
                    yield SpokenText(id=f"{name}-text")
                    yield NextTokens(id=f"{name}-top")
        yield Static(id="status", markup=False)

    def on_mount(self) -> None:
        for field in self.query(Input):
            field.cursor_blink = False
        self._draw(Dialogue(), self._title, going_on=False)
        area = self.query_one(PromptArea)
        area.write(self.explorer.session.saying.prompt if self._given is None else self._given.prompt)
        self._shown_prompt = area.text
        self._tell("enter says it; tab goes to the other fields")
        self.watch(self.app, "state", self._show)

    def _show(self, state: State) -> None:
        if state.players and not self._filled:
            self._filled = True
            self._fill(state)
        if self._waiting and _ready(state):
            self._ask()
        elif self._waiting:
            self._tell(_what_is_waited_for(state))
        if self._going_on is None:
            return
        if state.said is not None and state.said.ident == self._going_on.ident and state.said != self._heard:
            self._heard = state.said
            self._take(self._going_on, state.said)
        if state.connection == "lost" and self._going_on is not None:
            self._going_on = None
            self._tell(_LOST, fault=True)

    def _fill(self, state: State) -> None:
        """Write the names of the removed players into their field, unless something is there already."""
        given, field = self._given, self.query_one("#without", Input)
        removed = state.removed
        if given is not None and state.bench is not None:
            if given.model_id in {None, state.bench.model_id}:
                removed = given.removed
            else:
                self._tell(f"the prompt is from results of another model; {state.bench.model.name} would continue it")
        if not field.value:
            field.value = ", ".join(state.players[number].label for number in removed)

    def _take(self, asked: Say, said: Said) -> None:
        """Draw what was said so far, and tell its end."""
        self._draw(said.dialogue, self._title, going_on=not said.ended)
        how = manner_text(asked.ask)
        if not said.ended:
            begun = said.dialogue.intact.tokens or said.dialogue.masked.tokens
            self._tell(f"writing; esc stops   {how}" if begun else "the model reads the prompt; esc stops")
            return
        self._going_on = None
        done = said.dialogue.intact.end is not None and said.dialogue.masked.end is not None
        if said.fault:
            self._tell(said.fault, fault=True)
        else:
            chat = "in the chat template" if said.dialogue.chat else "no chat template"
            self._tell(f"{how}; {chat}" if done else _STOPPED)

    def _draw(self, dialogue: Dialogue, title: str, *, going_on: bool) -> None:
        for name, heading, voice in (("intact", "intact", dialogue.intact), ("masked", title, dialogue.masked)):
            note = end_text(voice) if voice.tokens or voice.end is not None else "…" if going_on else ""
            self.query_one(f"#{name}-text", SpokenText).show(heading, voice.text, note)
            self.query_one(f"#{name}-top", NextTokens).show(voice.top)

    def _tell(self, text: str, *, fault: bool = False) -> None:
        status = self.query_one("#status", Static)
        status.set_class(fault, "-fault")
        status.update(Text(plain(text)))

    def action_say(self) -> None:
        """Say it as soon as a model is open."""
        self._waiting = False
        try:
            ask = self._written()
        except CornerstoneError as error:
            self._tell(str(error), fault=True)
            return
        self._history = keep_prompt(ask.prompt)
        self._note()
        self._waiting = True
        self._show(self.explorer.state)

    def _ask(self) -> None:
        """Ask for what is written. Another prompt that goes on is ended by that."""
        self._waiting = False
        state = self.explorer.state
        assert state.bench is not None
        try:
            removed = parse_removed(self.query_one("#without", Input).value, state.players)
            asked = Say(ident=uuid.uuid4().hex, model_id=state.bench.model_id, removed=removed, ask=self._written())
        except CornerstoneError as error:
            self._tell(str(error), fault=True)
            return
        names = [state.players[number].label for number in removed]
        self._title = f"without {coalition_name(removed, names)}" if names else "nothing is removed"
        self._take(asked, Said(ident=asked.ident))
        self._going_on = asked
        self.explorer.ask(asked)

    def _written(self) -> Ask:
        """Return what the fields say.

        Raises:
            CornerstoneError: a field has something else than it should.
        """
        prompt = self._prompt
        if not prompt:
            raise CornerstoneError("write a prompt first")
        if len(prompt) > MOST_PROMPT:
            raise CornerstoneError(f"the prompt has more than {whole(MOST_PROMPT)} characters; shorten it")
        tokens = self._number("tokens", 1, MOST_TOKENS)
        return Ask(
            prompt=prompt,
            tokens=DEFAULT_TOKENS if tokens is None else tokens,
            seed=self._number("seed", 0, MOST_SEED),
            chat=None if self.query_one("#chat", Tick).value else False,
        )

    @property
    def _prompt(self) -> str:
        """The prompt, to the letter that of a document unless somebody has changed it."""
        text = self.query_one(PromptArea).text
        return self._given.prompt if self._given is not None and text == self._shown_prompt else text

    def _number(self, name: str, least: int, most: int) -> int | None:
        """Return the number in a field; None if it is empty."""
        written = self.query_one(f"#{name}", Input).value.strip()
        if not written:
            return None
        if not (written.isascii() and written.isdecimal() and least <= int(written[: len(str(most)) + 1]) <= most):
            raise CornerstoneError(f"{name}: a whole number from {least} to {whole(most)} is needed, not {written!r}")
        return int(written)

    @on(PromptArea.Walked)
    def _walk(self, message: PromptArea.Walked) -> None:
        area = self.query_one(PromptArea)
        moved = self._history.older(area.text) if message.to == "older" else self._history.newer()
        if moved is not None:
            self._history, prompt = moved
            area.write(prompt)

    def _note(self) -> None:
        """Have what is written remembered, unless it is a document's."""
        if self._given is None:
            saying = Saying(
                prompt=self._prompt[:LONGEST_WRITTEN],
                seed=self.query_one("#seed", Input).value[:LONGEST],
                tokens=self.query_one("#tokens", Input).value[:LONGEST],
                chat=self.query_one("#chat", Tick).value,
            )
            self.explorer.keep(self.explorer.session.model_copy(update={"saying": saying}))

    def action_chat(self) -> None:
        self.query_one("#chat", Tick).toggle()

    def action_copy_command(self) -> None:
        try:
            ask = self._written()
        except CornerstoneError as error:
            self._tell(str(error), fault=True)
            return
        command = say_command(self.explorer.config, ask, self.query_one("#without", Input).value.strip())
        copy(self.app, plain_lines(command), "command")

    def action_back(self) -> None:
        """Stop what goes on or waits; return where nothing does."""
        if self._going_on is not None:
            self.explorer.ask(StopSaying(ident=self._going_on.ident))
            self._tell("stopping …")
        elif self._waiting:
            self._waiting = False
            self._tell(_STOPPED)
        else:
            self._note()
            self.dismiss()


def _ready(state: State) -> bool:
    return state.connection == "connected" and state.bench is not None and not state.stored


def _what_is_waited_for(state: State) -> str:
    if state.connection == "lost":
        return "no evaluator is running; ctrl+r starts it, and then this is said (esc: not)"
    return f"said as soon as the model is open (esc: not)   {state.narration or 'the evaluator is starting'}"
