"""Talk to an evaluator: connect to the one that runs, or start one."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from pathlib import Path

import pydantic
from websockets.asyncio.client import ClientConnection, unix_connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage

from core.errors import CornerstoneError, Mend
from core.evaluator.address import log_path, socket_path
from core.evaluator.protocol import PROTOCOL_VERSION, Event, Hello, Request, ShutDown, parse_event

_LARGEST_EVENT = 2**26
_TRY_EVERY_S = 0.1
_START_S = 120.0


class Connection:
    """A connection to an evaluator."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def send(self, request: Request) -> None:
        """Send a request.

        Raises:
            CornerstoneError: the evaluator is gone.
        """
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

    async def gone(self) -> None:
        """Wait until the evaluator is gone, and ignore its events."""
        async for _text in self._texts():
            pass

    async def _texts(self) -> AsyncIterator[str | bytes]:
        with suppress(ConnectionClosed):  # raised where it was killed
            async for text in self._socket:
                yield text

    async def close(self) -> None:
        """Close the connection. The evaluator goes on."""
        await self._socket.close()


def _other_version() -> CornerstoneError:
    return CornerstoneError("an evaluator of another version of this program is running", Mend.REPLACE_EVALUATOR)


async def connect(store: Path) -> Connection | None:
    """Connect to the evaluator of ``store``; return None if none is running."""
    try:
        socket = await unix_connect(str(socket_path(store)), max_size=_LARGEST_EVENT, compression=None, ping_timeout=60)
    except (OSError, EOFError, InvalidHandshake, InvalidMessage):
        return None
    return Connection(socket)


async def connect_or_start(store: Path, command: Sequence[str]) -> Connection:
    """Connect to the evaluator of ``store``, and start one if none is running.

    Args:
        store: the file that it writes to.
        command: starts it. It goes on when this process or its terminal ends.

    Raises:
        CornerstoneError: it does not start.
    """
    process: subprocess.Popen[bytes] | None = None
    deadline = asyncio.get_running_loop().time() + _START_S
    while asyncio.get_running_loop().time() < deadline:
        if (connection := await connect(store)) is not None:
            return connection
        code = None if process is None else process.poll()
        if process is None or code == 0:  # 0: there was another one, which may be about to end
            process = _start(store, command)
        elif code is not None:
            raise CornerstoneError(f"the evaluator does not start: {_last_line(log_path(store))}")
        await asyncio.sleep(_TRY_EVERY_S)
    raise CornerstoneError(f"the evaluator has not started within {_START_S:.0f} s; see {log_path(store)}")


async def stop(store: Path) -> bool:
    """Ask the evaluator of ``store`` to end; return false if none is running."""
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
