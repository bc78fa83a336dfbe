"""The order in which rows pass layers that lie on several devices: each device has a row of its own to work on.

A device begins its work as soon as it is given, and the program goes on meanwhile. So the order alone keeps all devices
busy: while the second one has the first row, the first one has the second row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, zip_longest


def waves(stages: Sequence[int], rows: int) -> Iterator[tuple[int, range]]:
    """Yield a layer and the rows that pass it next, until every row has passed every layer in order.

    On one device all rows pass a layer before the next one, so that its weights are fetched once. On several, row r is
    on device s in step r + s. Within a step the devices' layers take turns, so that none waits for its work.

    Args:
        stages: how many layers each device has, in the order in which they run.
        rows: how many rows there are.
    """
    if len(stages) < 2:
        for index in range(sum(stages)):
            yield index, range(rows)
        return
    starts = [0, *accumulate(stages)]
    for step in range(rows + len(stages) - 1):
        at_work = [
            [(index, range(step - stage, step - stage + 1)) for index in range(starts[stage], starts[stage + 1])]
            for stage in range(len(stages))
            if 0 <= step - stage < rows
        ]
        for turn in zip_longest(*at_work):
            yield from (each for each in turn if each is not None)
