"""How often verdicts err, and what racing saves, in simulated games whose true values are known.

``python -m tests.benchmarks.verdicts`` prints both: errors at 95% over 1 000 games of each kind, looked at again and
again, and the outcomes that racing evaluates as a part of what a run of all windows takes to the same verdict.

``python -m tests.benchmarks.verdicts STORE VALUE [TASK]`` takes the real outcomes of a store's model on a task: 1 000
random orders of the documents that have all windows of up to 4, against the values over all of them.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.support.racing_games import COSTS, ERRORS, RACES, cost_errors, error_rate, racing_part
from tests.support.racing_orders import orders_of

_GAMES = 1000
_RACES = 40


def main() -> None:
    """Measure what the command line asks for."""
    if len(sys.argv) > 1:
        of_store(Path(sys.argv[1]), *sys.argv[2:])
    else:
        of_games()


def of_store(store: Path, value: str, task: str | None = None) -> None:
    """Print what verdicts say in random orders of real documents."""
    found = orders_of(store, value, _GAMES, task)
    print(
        f"{found.title}, {value}, {_GAMES} random orders of {found.documents} documents: wrong {found.wrong:.1%}, "
        f"in {found.inside:.1f} and out {found.out:.1f} of {found.units} at the end"
    )
    print(f"the first {found.early} documents: in {found.early_inside:.1f}, out {found.early_out:.1f}")


def of_games() -> None:
    """Print the errors of verdicts, and what racing saves, in games with known values."""
    print(f"errors of verdicts at 95%, {_GAMES} games each of up to 400 documents; in and out of 20")
    for name, game in ERRORS.items():
        found = error_rate(game, _GAMES)
        print(f"{name:44} {found.wrong:6.1%}  in {found.inside:4.1f}  out {found.out:4.1f}", flush=True)
    print(f"errors of verdicts on costs at 95%, {_GAMES} games each of 400 documents; above and below of 20")
    for name, costs in COSTS.items():
        found = cost_errors(costs, _GAMES)
        print(f"{name:44} {found.wrong:6.1%}  above {found.inside:4.1f}  below {found.out:4.1f}", flush=True)
    print(f"racing for the top 3 of 60 units by windows of up to 4, {_RACES} games each")
    for name, race in RACES.items():
        part = racing_part(race, _RACES)
        print(
            f"{name:44} decided after {part.documents:4.0f} documents, {part.outcomes:4.0%} of the outcomes", flush=True
        )


if __name__ == "__main__":
    main()
