"""The result of a benchmark; light to import."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BenchReport:
    """The result of a benchmark. Seconds exclude loading, preparation and warm-up on both sides.

    Attributes:
        speedup: ``lm_eval_seconds`` / ``seconds``.
        fraction_of_limit: the time that the distinct work takes at ``peak_flops``, divided by ``seconds``.
        lm_eval_seconds: seconds for all coalitions, extrapolated from ``lm_eval_timed`` of them.
        lm_eval_batch_size: the fastest of the batch sizes tried.
        max_logprob_difference: None if one of the log-probabilities is NaN.
        outcomes_equal: whether log-probabilities agree within the tolerance, and all metrics except for ties within it.
        peak_memory_bytes: memory of the process (on CUDA, of the device) until the end of the sweep.
        peak_flops: the median speed of large matrix products throughout the run, by the faster library.
    """

    task: str
    documents: int
    coalitions: int
    speedup: float
    fraction_of_limit: float
    seconds: float
    lm_eval_seconds: float
    lm_eval_timed: int
    lm_eval_batch_size: int
    max_logprob_difference: float | None
    outcomes_equal: bool
    peak_memory_bytes: int
    peak_flops: float
    device: str
    dtype: str
    threads: int
