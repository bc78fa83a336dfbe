"""Talk to an evaluator: connect to the one that runs, or start one."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pydantic

from core.errors import CornerstoneError, Mend
from core.evaluator.address import log_path, socket_path
from core.evaluator.protocol import PROTOCOL_VERSION, Event, Hello, Request, ShutDown, parse_event
from core.evaluator.silence import Silence, in_words, is_stopped, peer_of

if TYPE_CHECKING:  # websockets takes a while to load, and an explorer is drawn before it connects
    from websockets.asyncio.client import ClientConnection

_LARGEST_EVENT = 2**26
_TRY_EVERY_S = 0.1
_START_S = 120.0
_SILENCE_S = 1.0
_BUSY_S = 30.0
_GONE_S = 60.0

OnSilence = Callable[[Silence | None], None]
"""Called when an evaluator does not answer, again when the reason changes, and with None when it answers again."""


class Connection:
    """A connection to an evaluator."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def send(self, request: Request) -> None:
        """Send a request.

        Raises:
            CornerstoneError: the evaluator is gone.
        """
        from websockets.exceptions import ConnectionClosed

        try:
            await self._socket.send(request.model_dump_json())
        except ConnectionClosed as error:
            raise CornerstoneError("the evaluator is gone", Mend.START_EVALUATOR) from error

    async def events(self) -> AsyncIterator[Event]:
        """Yield the evaluator's events as they come, until it is gone.

        Raises:
            CornerstoneError: it speaks another version of the protocol.
        """
        async for text in self._texts():
            try:
                event = parse_event(text)
            except pydantic.ValidationError as error:
                await self.close()
                raise _other_version() from error
            if isinstance(event, Hello) and event.protocol != PROTOCOL_VERSION:
                await self.close()
                raise _other_version()
            yield event

    @property
    def pid(self) -> int | None:
        """The evaluator's process; None where the system does not tell."""
        return peer_of(self._socket.transport.get_extra_info("socket"))

    async def watch(self, on_silence: OnSilence) -> None:
        """Tell when the evaluator is stopped, and when it goes on, until cancelled."""
        pid, told = self.pid, False
        while pid is not None:
            await asyncio.sleep(_SILENCE_S)
            if is_stopped(pid) != told:
                told = not told
                on_silence(Silence(pid, stopped=True) if told else None)

    async def gone(self) -> None:
        """Wait until the evaluator is gone, and ignore its events."""
        async for _text in self._texts():
            pass

    async def _texts(self) -> AsyncIterator[str | bytes]:
        from websockets.exceptions import ConnectionClosed

        with suppress(ConnectionClosed):  # raised where it was killed
            async for text in self._socket:
                yield text

    async def close(self) -> None:
        """Close the connection. The evaluator goes on."""
        await self._socket.close()


def _other_version() -> CornerstoneError:
    return CornerstoneError("an evaluator of another version of this program is running", Mend.REPLACE_EVALUATOR)


async def connect(store: Path, on_silence: OnSilence | None = None) -> Connection | None:
    """Connect to the evaluator of ``store``; return None if none is running.

    Args:
        store: the file that it writes to.
        on_silence: called when the evaluator takes the connection and does not answer, as one that is stopped. The
            connection then waits until it answers or ends.

    Raises:
        CornerstoneError: ``on_silence`` is None, and the evaluator is stopped or stays busy.
    """
    from websockets.exceptions import InvalidHandshake, InvalidMessage

    raw = socket.socket(socket.AF_UNIX)
    raw.setblocking(False)
    opening: asyncio.Future[ClientConnection] | None = None
    try:
        await asyncio.get_running_loop().sock_connect(raw, str(socket_path(store)))
        opening = asyncio.ensure_future(_handshake(raw))
        await _answered(opening, peer_of(raw), on_silence)
        return Connection(await opening)
    except (OSError, EOFError, InvalidHandshake, InvalidMessage):
        raw.close()
        return None
    except BaseException:
        if opening is not None:
            opening.cancel()
        raw.close()
        raise


async def _handshake(raw: socket.socket) -> ClientConnection:
    from websockets.asyncio.client import unix_connect

    return await unix_connect(
        sock=raw, max_size=_LARGEST_EVENT, compression=None, open_timeout=None, ping_timeout=_GONE_S
    )


async def _answered(opening: asyncio.Future[ClientConnection], pid: int | None, on_silence: OnSilence | None) -> None:
    """Wait until an evaluator answers or ends, and tell of its silence."""
    told: Silence | None = None
    waited = 0.0
    while not (await asyncio.wait({opening}, timeout=_SILENCE_S))[0]:
        waited += _SILENCE_S
        silence = Silence.of(pid)
        if on_silence is None and (silence.stopped or waited >= _BUSY_S):
            raise CornerstoneError(f"{in_words(silence)} and does not answer")
        if on_silence is not None and silence != told:
            on_silence(silence)
        told = silence
    if told is not None and on_silence is not None:
        on_silence(None)


async def connect_or_start(store: Path, command: Sequence[str], on_silence: OnSilence | None = None) -> Connection:
    """Connect to the evaluator of ``store``, and start one if none is running.

    Args:
        store: the file that it writes to.
        command: starts it. It goes on when this process or its terminal ends.
        on_silence: as for ``connect``.

    Raises:
        CornerstoneError: it does not start; or, as for ``connect``, it does not answer.
    """
    process: subprocess.Popen[bytes] | None = None
    waited = 0.0
    while waited < _START_S:
        if (connection := await connect(store, on_silence)) is not None:
            return connection
        code = None if process is None else process.poll()
        if process is None or code == 0:  # 0: there was another one, which may be about to end
            process = _start(store, command)
        elif code is not None:
            raise CornerstoneError(f"the evaluator does not start: {_last_line(log_path(store))}")
        await asyncio.sleep(_TRY_EVERY_S)
        waited += _TRY_EVERY_S
    raise CornerstoneError(f"the evaluator has not started within {_START_S:.0f} s; see {log_path(store)}")


async def stop(store: Path) -> bool:
    """Ask the evaluator of ``store`` to end; return false if none is running.

    Raises:
        CornerstoneError: it does not answer.
    """
    connection = await connect(store)
    if connection is None:
        return False
    with suppress(CornerstoneError):  # gone already
        await connection.send(ShutDown())
    await connection.gone()
    return True


def _start(store: Path, command: Sequence[str]) -> subprocess.Popen[bytes]:
    try:
        with log_path(store).open("ab") as log:
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", start_new_session=True
            )
    except OSError as error:
        raise CornerstoneError(f"the evaluator cannot be started: {error}") from error


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else f"it said nothing ({sys.executable})"
