"""The sizes of the paper's six tasks, for a machine that does not have their data.

Counted over all documents of the splits that lm-eval evaluates, zero-shot, with the default model's tokenizer
(49 152 tokens), by ``core.cost.of_task``. Other tokenizers cut English a little otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from core.cost.of_task import TaskWork
from core.cost.work import ModelWork, RowWork


@dataclass(frozen=True, slots=True)
class KnownTask:
    """A task: its number of documents, and what a document has on average.

    ``tokens``: of its packed row. ``scored``: positions. ``pairs``: tokens and the tokens they see. ``apart``: tokens
    where its requests share no row. ``padded``: tokens in the loop's batches. ``padded_pairs``: pairs of these.
    ``longest`` is the number of tokens of the longest document.
    """

    name: str
    documents: int
    tokens: float
    scored: float
    pairs: float
    apart: float
    padded: float
    padded_pairs: float
    longest: float
    requests: float

    def work(self, model: ModelWork, documents: int, *, share: bool) -> TaskWork:
        """Return the sizes of so many documents, as a model reads them."""
        sights = len(model.sights)
        tokens = self.tokens if share else self.apart
        pairs = self.pairs * tokens / self.tokens
        rows = RowWork(tokens, self.scored, (pairs,) * sights)
        padded = RowWork(self.padded, self.padded, (self.padded_pairs,) * sights)
        return TaskWork(self.name, 1, rows, padded, self.longest, self.requests, exact=False).of(documents)


KNOWN_TASKS: Final = {
    task.name: task
    for task in (
        KnownTask("boolq", 3270, 145.4, 1.0, 13587, 290.8, 147.3, 30003, 1291, 2),
        KnownTask("piqa", 1838, 48.5, 36.1, 1517, 70.5, 70.5, 3789, 462, 2),
        KnownTask("winogrande", 1267, 27.3, 11.2, 358, 43.0, 43.0, 956, 48, 2),
        KnownTask("arc_easy", 2376, 38.9, 12.6, 876, 122.7, 105.1, 4192, 171, 4),
        KnownTask("arc_challenge", 1172, 48.1, 18.0, 1290, 144.3, 133.7, 6195, 177, 4),
        KnownTask("openbookqa", 500, 19.6, 9.0, 219, 55.8, 44.4, 899, 83, 4),
    )
}
