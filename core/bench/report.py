"""The result of a benchmark; light to import."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """The layers that were known for certain to be among the three largest; see ``core.statistics.verdicts``.

    Attributes:
        value: the value that decided.
        inside: the labels of the layers.
        out: how many layers were known for certain to be none of them.
        documents: after how many documents.
        seconds: after how many seconds of this program, from its start, without what the benchmark does besides.
        lm_eval_seconds: seconds of a loop over lm-eval for all coalitions on all documents of the task, by proportion.
        speedup: ``lm_eval_seconds`` / ``seconds``.
    """

    value: str
    inside: tuple[str, ...]
    out: int
    documents: int
    seconds: float
    lm_eval_seconds: float
    speedup: float


@dataclass(frozen=True, slots=True)
class VllmLoop:
    """The loop over lm-eval with its vLLM backend, prefix caching on; fields are those of ``BenchReport``."""

    version: str
    seconds: float
    timed: int
    speedup: float
    max_logprob_difference: float | None
    median_logprob_difference: float | None
    answers_differ: int


@dataclass(frozen=True, slots=True)
class BenchReport:
    """The result of a benchmark. Seconds exclude loading, preparation and warm-up on both sides.

    Attributes:
        speedup: ``lm_eval_seconds`` / ``seconds``.
        fraction_of_limit: the time that the distinct work takes at ``peak_flops``, divided by ``seconds``.
        lm_eval_seconds: seconds for all coalitions, extrapolated from ``lm_eval_timed`` of them.
        lm_eval_batch_size: the fastest of the batch sizes tried.
        max_logprob_difference: None if one of the log-probabilities is NaN.
        median_logprob_difference: None likewise.
        outcomes_equal: whether log-probabilities agree within the tolerance, and all metrics except for ties within it.
            It is float32's tolerance, which a 16-bit dtype does not keep: two sums in another order differ by more.
        answers_compared: how many documents were compared under all coalitions of the loop.
        answers_differ: how many of them have another metric.
        peak_memory_bytes: memory of the process (on CUDA, of the device) until the end of the sweep.
        answer: the first layers that were known for certain; None if there were too few, or if the documents were not
            taken in random order.
        vllm: the loop by vLLM; None if it was not asked for.
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
    median_logprob_difference: float | None
    outcomes_equal: bool
    answers_compared: int
    answers_differ: int
    peak_memory_bytes: int
    peak_flops: float
    device: str
    dtype: str
    threads: int
    answer: Answer | None = None
    vllm: VllmLoop | None = None
