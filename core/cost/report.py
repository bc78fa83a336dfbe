"""Plain numbers that say what a study costs. Light to import."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TaskCost:
    """The cost of one task of a study.

    Attributes:
        task: its name.
        documents: how many are evaluated.
        tokens: of the packed documents. Each passes the layers once for each distinct state.
        padded_tokens: that a loop over lm-eval reads for one coalition.
        flops: operations of the distinct work under all coalitions.
        store_bytes: that its outcomes take in the store.
        seconds: of the sweep.
        lm_eval_seconds: of a loop over lm-eval.
        exact: whether tokens were counted on the very documents with the model's own tokenizer.
    """

    task: str
    documents: int
    tokens: int
    padded_tokens: int
    flops: float
    store_bytes: int
    seconds: float
    lm_eval_seconds: float
    exact: bool


@dataclass(frozen=True, slots=True)
class StudyCost:
    """The cost of a study of which nothing is stored yet.

    Attributes:
        model: the model's name.
        dtype: of its weights.
        players: how many can be removed.
        coalitions: how many are evaluated, at most.
        documents: of all tasks.
        tokens: of the packed documents.
        padded_tokens: that a loop over lm-eval reads for one coalition.
        outcomes: coalitions times documents.
        flops: operations of the distinct work.
        lm_eval_flops: operations of a loop over lm-eval.
        chunks: how often the layers are walked through.
        weight_bytes: of the whole model.
        weight_bytes_per_chunk: of the layers, which a chunk reads once.
        memory_bytes: in use at once, by the process on a CPU, on the device elsewhere.
        store_bytes: of a store that holds the outcomes and nothing else.
        seconds: from the start of the program to its end.
        start_seconds: of these, until the program, its tasks and the model's weights are loaded.
        lm_eval_seconds: the same of a loop over lm-eval.
        machine: what evaluates it.
        product_flops: operations a second of matrix products of the model's sizes.
        sweep_part: the part of them that the sweep reaches.
        measured: whether ``product_flops`` was measured now.
        beside_others: whether other programs used the processor while it was measured.
        offloaded: whether the weights do not fit into the device's memory.
        at_most: whether the study may end sooner, or its schedule chooses fewer coalitions.
        sure: whether the players are known, and not only suggested by the names of the model's modules.
        tasks: each task by itself.
    """

    model: str
    dtype: str
    players: int
    coalitions: int
    documents: int
    tokens: int
    padded_tokens: int
    outcomes: int
    flops: float
    lm_eval_flops: float
    chunks: int
    weight_bytes: int
    weight_bytes_per_chunk: int
    memory_bytes: int
    store_bytes: int
    seconds: float
    start_seconds: float
    lm_eval_seconds: float
    machine: str
    product_flops: float
    sweep_part: float
    measured: bool
    beside_others: bool
    offloaded: bool
    at_most: bool
    sure: bool
    tasks: tuple[TaskCost, ...]
