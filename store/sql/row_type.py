"""The rows of a result as a dataclass, as every table of results has one, so that every format can write them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

from store.sql.values import KINDS, unpacked


class _Row:
    """The base of rows. Its fields have the names of the columns, which need not be names in Python.

    A result may have many rows, so each holds its values and nothing else.
    """

    __slots__ = ("__values__",)
    __places__: ClassVar[Mapping[str, int]] = MappingProxyType({})

    def __init__(self, values: tuple[Any, ...]) -> None:
        self.__values__ = values

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__values__[self.__places__[name]]
        except KeyError:
            raise AttributeError(name) from None


def names_apart(names: Sequence[str]) -> tuple[str, ...]:
    """Return a name for each column that no other has, in either case of letters: x, x_2."""
    taken: set[str] = set()
    found = []
    for name in names:
        # Python has names of its own between double underscores.
        stem = name.strip("_") or "column" if name.startswith("__") else name
        number, one = 1, stem
        while one.casefold() in taken:
            number += 1
            one = f"{stem}_{number}"
        taken.add(one.casefold())
        found.append(one)
    return tuple(found)


def row_type(columns: Sequence[tuple[str, str]]) -> type:
    """Make the dataclass of rows with these columns, each a name and a kind."""
    names = {
        "__slots__": (),
        "__places__": MappingProxyType({name: place for place, (name, _) in enumerate(columns)}),
        "__annotations__": {name: KINDS[kind] for name, kind in columns},
    }
    return dataclass(init=False, repr=False, eq=False)(type("SqlRow", (_Row,), names))


def rows_of(made: type, columns: Sequence[tuple[str, str]], values: Sequence[Sequence[Any]]) -> tuple[Any, ...]:
    """Make rows from the values that a worker sent."""
    kinds = [kind for _, kind in columns]
    return tuple(made(tuple(map(unpacked, row, kinds))) for row in values)
