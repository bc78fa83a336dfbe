"""The evaluator's service: a Unix socket that takes requests from explorers and sends events to all of them."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import socket
import struct
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import metadata
from pathlib import Path
from typing import Literal

import pydantic
from websockets.asyncio.server import ServerConnection, broadcast, unix_serve
from websockets.exceptions import ConnectionClosed

from core.evaluator.address import lock_path, socket_path
from core.evaluator.engine import Engine
from core.evaluator.protocol import (
    PROTOCOL_VERSION,
    Charts,
    Event,
    Goodbye,
    Hello,
    Jobs,
    MemoryWasShort,
    Narration,
    Opened,
    PastJobs,
    Rates,
    Refusal,
    Said,
    Scored,
    ShutDown,
    Workers,
    Writers,
    parse_request,
)
from core.evaluator.writer_watch import WriterWatch
from core.records.records import Recorder, Writer

IDLE_S = 1800.0
"""After this time without work and connections an evaluator ends, which frees its memory."""

_LARGEST_REQUEST = 2**20
_GOODBYE_S = 2.0
_UNRESPONSIVE_S = 10.0
_ORDER = (Narration, PastJobs, Jobs, Workers, Opened, Writers, Rates, Charts, Scored)


def serve(store: Path, recorder: Recorder, idle_s: float = IDLE_S) -> bool:
    """Be the evaluator of ``store`` until asked to stop; return false at once if there is one already."""
    with _only_one(store) as alone:
        if alone and not asyncio.run(_serve(store, recorder, idle_s)):
            print("ended while a model or a task was being opened", flush=True)
            os._exit(1)  # the threads of a download would be waited for
        return alone


async def _serve(store: Path, recorder: Recorder, idle_s: float) -> bool:
    return await _Service(store, recorder, idle_s).run()


class _Service:
    """The service, which is made and run in one event loop."""

    def __init__(self, store: Path, recorder: Recorder, idle_s: float) -> None:
        self._store = store
        self._idle_s = idle_s
        self._connections: set[ServerConnection] = set()
        self._latest: dict[tuple[type, str], Event] = {}
        self._ended = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._engine = Engine(store, recorder, self._publish)
        self._watch = WriterWatch(recorder, store, self._tell_writers)

    async def run(self) -> bool:
        """Serve until asked to end; return false if the engine did not end."""
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._end, "signal")
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        path = socket_path(self._store)
        path.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            server = await unix_serve(self._talk, str(path), max_size=_LARGEST_REQUEST, compression=None)
        finally:
            os.umask(before)
        worker = threading.Thread(target=self._work, name="engine", daemon=True)
        worker.start()
        self._watch.start()
        try:
            ended = await self._until_ended()
        finally:
            self._engine.stop()
            await asyncio.to_thread(self._watch.stop)
            path.unlink(missing_ok=True)
            server.close()
            with suppress(TimeoutError):
                await asyncio.wait_for(server.wait_closed(), _GOODBYE_S)
        return ended

    def _tell_writers(self, writers: tuple[Writer, ...]) -> None:
        self._publish(Writers(writers=writers))

    def _work(self) -> None:
        try:
            self._engine.run()
        finally:
            self._loop.call_soon_threadsafe(self._ended.set)

    async def _until_ended(self) -> bool:
        """Wait for the engine to end; return false if it cannot end soon, as in a long download."""
        alone = unresponsive = 0.0
        step = min(self._idle_s, 1.0)
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), step)
                return True
            alone = alone + step if not self._connections and self._engine.idle else 0.0
            if alone >= self._idle_s:
                self._engine.stop()
            unresponsive = unresponsive + step if self._engine.unresponsive else 0.0
            if unresponsive >= _UNRESPONSIVE_S:
                return False

    async def _talk(self, connection: ServerConnection) -> None:
        if not _is_mine(connection.transport.get_extra_info("socket")):
            return
        self._greet(connection)
        try:
            async for text in connection:
                try:
                    request = parse_request(text)
                    if isinstance(request, ShutDown):
                        self._end("explorer")
                    else:
                        self._engine.submit(request)
                except pydantic.ValidationError as error:
                    refusal = Refusal(text=f"not understood ({error.error_count()} faults): {error.errors()[0]['msg']}")
                    await connection.send(refusal.model_dump_json())
        except ConnectionClosed:
            pass
        finally:
            self._connections.discard(connection)

    def _end(self, by: Literal["explorer", "signal"]) -> None:
        broadcast(self._connections, Goodbye(by=by).model_dump_json())
        self._engine.stop()

    def _greet(self, connection: ServerConnection) -> None:
        """Send the whole state, then all later events, without a gap between them."""
        hello = Hello(
            protocol=PROTOCOL_VERSION,
            version=metadata.version("cornerstone"),
            pid=os.getpid(),
            store=str(self._store),
            busy=any(
                isinstance(event, Opened) or (isinstance(event, Narration) and event.text)
                for event in self._latest.values()
            ),
        )
        for event in (hello, *sorted(self._latest.values(), key=lambda event: _ORDER.index(type(event)))):
            broadcast([connection], event.model_dump_json())
        self._connections.add(connection)

    def _publish(self, event: Event) -> None:
        """Publish an event; the engine's thread calls this."""
        self._loop.call_soon_threadsafe(self._send_to_all, event)

    def _send_to_all(self, event: Event) -> None:
        self._remember(event)
        broadcast(self._connections, event.model_dump_json())

    def _remember(self, event: Event) -> None:
        """Keep the latest event of each kind for later connections."""
        if isinstance(event, Refusal | MemoryWasShort | Goodbye | Said):
            return
        if isinstance(event, Opened):
            keys = {task.key for task in event.tasks}
            self._latest = {at: old for at, old in self._latest.items() if not at[1] or at[1] in keys}
        self._latest[type(event), event.task if isinstance(event, Charts | Scored) else ""] = event


@contextmanager
def _only_one(store: Path) -> Iterator[bool]:
    with lock_path(store).open("w", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _is_mine(peer: socket.socket) -> bool:
    """Return whether this user owns the process at the other end. If that is unknown, trust the folder's mode."""
    if not sys.platform.startswith("linux"):
        return True
    _, uid, _ = struct.unpack("3i", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    return bool(uid == os.getuid())
