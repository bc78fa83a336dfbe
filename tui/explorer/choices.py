"""What this explorer has asked the evaluator to open, until that is answered."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from core.config.limit import Limit
from core.config.run_config import RunConfig
from core.evaluator.protocol import GiveUp, Open, Opened, Request
from tui.drawing.plain import counted

NO_EVALUATOR: Final = "no evaluator runs: esc closes this, ctrl+r starts one, and m comes back here"


@dataclass(frozen=True, slots=True)
class Refused:
    """A choice that was refused, and the sentence that says why."""

    config: RunConfig
    said: str


@dataclass(slots=True)
class _Asked:
    config: RunConfig
    answer: asyncio.Future[str | None]
    waited_for: bool = False


class Choices:
    """The requests of this explorer that have no answer yet, and the last choice that was refused."""

    def __init__(self) -> None:
        self._asked: dict[str, _Asked] = {}
        self.refused: Refused | None = None

    @property
    def pending(self) -> RunConfig | None:
        """What is being opened for this explorer."""
        return next((one.config for one in reversed(self._asked.values())), None)

    def ask(self, config: RunConfig, by_hand: Limit = None) -> Open:
        """Return the request to open ``config``, which is then waited for; ``by_hand`` is as in the request."""
        request = Open(config=config, by_hand=by_hand, asked=uuid.uuid4().hex)
        self._asked[request.asked] = _Asked(config, asyncio.get_running_loop().create_future())
        return request

    def named(self, request: Request) -> Request:
        """Return a request as it is sent: one to open something gets a name."""
        return self.ask(request.config, request.by_hand) if isinstance(request, Open) else request

    async def have(self, config: RunConfig, send: Callable[[Request], Awaitable[None]] | None) -> str | None:
        """Have ``config`` opened, unless that was asked for already; return why it was refused, None once it is open.

        Args:
            config: what to open.
            send: sends a request; None if there is no evaluator.

        Raises:
            CornerstoneError: the evaluator is gone.
        """
        if send is None:
            self.refused = Refused(config, NO_EVALUATOR)
            return NO_EVALUATOR
        name = self.name_of(config)
        if name is None:
            request = self.ask(config)
            name = request.asked
            await send(request)
        return await self.answer(name)

    def name_of(self, config: RunConfig) -> str | None:
        """Return the name of the request to open ``config``, if there is one without an answer."""
        return next((name for name, one in self._asked.items() if one.config == config), None)

    async def answer(self, name: str) -> str | None:
        """Wait for the answer to a request; return why it was refused, None if it was not."""
        asked = self._asked[name]
        asked.waited_for = True
        try:
            return await asyncio.shield(asked.answer)
        finally:
            asked.waited_for = False

    def give_up(self) -> tuple[GiveUp, ...]:
        """Return the requests to give up all that is being opened for this explorer."""
        return tuple(GiveUp(asked=name) for name in self._asked)

    def accept(self, name: str) -> bool:
        """Take the news that something is open; return whether this explorer has asked for it."""
        asked = self._asked.pop(name, None)
        if asked is None:
            return False
        self.refused = None
        asked.answer.set_result(None)
        return True

    def is_own(self, name: str) -> bool:
        """Return whether a request is of this explorer, and has no answer yet."""
        return name in self._asked

    def refuse(self, name: str, said: str) -> bool:
        """Take the refusal of a request; return whether nobody else need be told, because somebody waits for it."""
        asked = self._asked.pop(name)
        asked.answer.set_result(said)
        if self._asked:
            return True  # a later choice of the same explorer has taken its place
        self.refused = Refused(asked.config, said)
        return asked.waited_for

    def lose(self, said: str) -> None:
        """Refuse all requests, because the evaluator is gone."""
        for name in tuple(self._asked):
            self.refuse(name, said)


def replaced_text(before: Opened, now: Opened) -> str:
    """Return the sentence that tells what somebody else has opened; empty if it is the same."""
    who = "another explorer" if now.asked else "a job"
    if before.model_id != now.model_id:
        return f"{who} has opened {now.model.name} in place of {before.model.name}; m chooses again"
    known = {task.task_id: task for task in now.tasks}
    gone = [task.shown_name for task in before.tasks if task.task_id not in known]
    if gone:
        there = ", ".join(task.shown_name for task in now.tasks)
        return f"{who} has opened {there} in place of {', '.join(gone)}; m chooses again"
    other = [task for task in before.tasks if task.documents != known[task.task_id].documents]
    if not other:
        return ""
    numbers = {(task.documents, known[task.task_id].documents) for task in other}
    names = ", ".join(task.shown_name for task in other)
    if len(numbers) > 1:
        return f"{who} has opened other numbers of documents of {names}{_by_hand(before, now)}"
    ((had, has),) = numbers
    return f"{who} has opened {counted(has, 'document')} of {names} in place of {had}{_by_hand(before, now)}"


def _by_hand(before: Opened, now: Opened) -> str:
    """Return the end of a sentence on documents: whether what is removed by hand is evaluated on others too."""
    return "; what you remove keeps its own" if before.by_hand == now.by_hand else "; m chooses again"
