"""The explorer's client, where the other end is gone, foreign or of another version."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, unix_serve

from core.errors import CornerstoneError
from core.evaluator import client
from core.evaluator.address import socket_path
from core.evaluator.protocol import PROTOCOL_VERSION, Hello, Narration, Pause, ShutDown, parse_request

PATIENCE_S = 240.0


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Path]:
    path = tmp_path / "s.duckdb"
    yield path
    socket_path(path).unlink(missing_ok=True)


def hello(version: int) -> str:
    return Hello(protocol=version, version="9.9", pid=1, store="", busy=False).model_dump_json()


@pytest.mark.parametrize("greeting", [hello(PROTOCOL_VERSION + 1), '{"type": "news"}'])
async def test_an_evaluator_of_another_version_is_told_of_and_can_be_stopped(greeting: str, store: Path) -> None:
    asked: list[object] = []

    async def talk(connection: ServerConnection) -> None:
        await connection.send(greeting)
        async for text in connection:
            asked.append(parse_request(text))
            await connection.close()

    async with unix_serve(talk, str(socket_path(store))), asyncio.timeout(PATIENCE_S):
        connection = await client.connect(store)
        assert connection is not None
        with pytest.raises(CornerstoneError, match="another version"):
            await anext(connection.events())
        with pytest.raises(CornerstoneError, match="the evaluator is gone"):
            await connection.send(Pause(job=1))
        assert await client.stop(store)
    assert asked == [ShutDown()]


async def test_where_it_dies_in_the_middle_of_the_talk_events_end(store: Path) -> None:
    async def talk(connection: ServerConnection) -> None:
        await connection.send(hello(PROTOCOL_VERSION))
        await connection.send(Narration(text="loading").model_dump_json())
        await asyncio.sleep(0)
        connection.transport.abort()

    async with unix_serve(talk, str(socket_path(store))), asyncio.timeout(PATIENCE_S):
        connection = await client.connect(store)
        assert connection is not None
        assert [type(event) async for event in connection.events()] == [Hello, Narration]
        with pytest.raises(CornerstoneError, match="the evaluator is gone"):
            await connection.send(ShutDown())


async def test_nobody_at_the_address_is_none(store: Path) -> None:
    assert await client.connect(store) is None
    assert not await client.stop(store)
    async with unix_serve(lambda _: asyncio.sleep(0), str(socket_path(store))):  # type: ignore[arg-type,return-value]
        pass
    assert await client.connect(store) is None
    socket_path(store).unlink()
    socket_path(store).write_text("no socket")
    assert await client.connect(store) is None


async def test_a_program_that_is_not_there_is_said(store: Path) -> None:
    with pytest.raises(CornerstoneError, match="cannot be started"):
        await client.connect_or_start(store, ["/nowhere/python"])
