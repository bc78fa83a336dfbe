"""Prepare a task's documents: render and encode them as lm-eval would, and score them with the task's own functions."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from lm_eval.api.instance import Instance
from lm_eval.api.metrics import mean

from core.coalitions.players import Removed
from core.config.limit import Limit, documents_in
from core.engine.encoding import EncodingFaultError, RenderChat, RequestEncoder
from core.engine.packing import TokenRequest
from core.engine.prompt import Prompt
from core.errors import CornerstoneError
from core.records.draw import Draw
from core.records.fingerprint import digest_of
from core.records.records import WRITTEN, DataRecord, DocumentRecord, Outcome, TaskRecord
from core.tasks.build import BuiltTask
from core.tasks.data_file import fields_of
from core.tasks.entries import WRITES
from core.tasks.faults import DOCUMENT_FAULTS, document_fault, fault_of_document
from core.tasks.json_value import json_value
from core.tasks.templates import compiled_once
from core.tasks.written import right_text, scores_of_text, value_names

Order = Literal["shuffled", "file"]

# Where the data is and how it is split identifies the data, not the task. The number of examples is recorded apart.
_NOT_THE_TASK = (
    "dataset_path",
    "dataset_name",
    "dataset_kwargs",
    "training_split",
    "validation_split",
    "test_split",
    "fewshot_split",
    "num_fewshot",
    "metadata",
)


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a task.

    ``source`` is lm-eval's row, and ``instances`` are lm-eval's requests about it. ``requests[i]`` are the
    continuations whose log-probabilities add up to that of ``instances[i]``. Where the model writes a text, there are
    none, but a ``prompt``.
    """

    record: DocumentRecord
    source: Any
    instances: tuple[Instance, ...]
    requests: tuple[tuple[TokenRequest, ...], ...]
    prompt: Prompt | None = None

    @property
    def continuations(self) -> tuple[TokenRequest, ...]:
        return tuple(part for request in self.requests for part in request)

    @property
    def texts(self) -> tuple[TokenRequest, ...]:
        """Return what the model reads of the document: its continuations, or the prompt before a first new token."""
        return self.continuations if self.prompt is None else (TokenRequest(self.prompt.tokens, (0,)),)

    @property
    def bundles(self) -> tuple[tuple[TokenRequest, ...], ...]:
        """Return the continuations, in order; those of a group should share a row.

        Windows of a long text share nothing.
        """
        if self.prompt is not None:
            return ()
        if self.instances[0].request_type == "loglikelihood_rolling":
            return tuple((part,) for part in self.continuations)
        return (self.continuations,)


@dataclass(frozen=True, slots=True)
class PreparedTask:
    """A task with the documents of a study, in the order of their evaluation."""

    record: TaskRecord
    data: DataRecord
    documents: tuple[Document, ...]
    _built: BuiltTask

    @property
    def document_records(self) -> tuple[DocumentRecord, ...]:
        return tuple(document.record for document in self.documents)

    @property
    def most_new(self) -> int:
        """Return the most tokens of an answer that the model writes; 0 if it writes none."""
        return max((document.prompt.most_new for document in self.documents if document.prompt is not None), default=0)

    def first(self, limit: Limit) -> PreparedTask:
        """Return the task with the first documents, as many as ``limit`` takes, or all if it has fewer."""
        return replace(self, documents=self.documents[: documents_in(limit, self.data.size)])

    def outcome(
        self, document: Document, removed: Removed, logprobs: Sequence[float], is_greedy: Sequence[bool]
    ) -> Outcome:
        """Score one document with the task's own ``process_results``.

        Args:
            document: one of ``documents``.
            removed: the coalition under which it was evaluated.
            logprobs: one natural logarithm per continuation, in the order of ``document.continuations``.
            is_greedy: whether each continuation was the most likely one, in the same order.
        """
        sums, greedy, start = [], [], 0
        for request in document.requests:
            stop = start + len(request)
            sums.append(float(sum(logprobs[start:stop])))
            greedy.append(all(is_greedy[start:stop]))
            start = stop
        try:
            scores = self.scores(document, sums, greedy)
        except DOCUMENT_FAULTS:
            # The task's own function works (``prepare_task`` tried it), but not on these log-probabilities.
            scores = self._no_numbers()
        return self._outcome(document, removed, tuple(sums), tuple(greedy), scores)

    def written(self, document: Document, removed: Removed, text: str | None) -> Outcome:
        """Score the text that the model wrote for one document; None if its logits were no numbers."""
        if text is None:
            return self._outcome(document, removed, (), (), self._no_numbers())
        try:
            scores = self.scores_of_text(document, text)
        except DOCUMENT_FAULTS:
            scores = self._no_numbers()
        return self._outcome(document, removed, (), (), {**scores, WRITTEN: text})

    def _no_numbers(self) -> dict[str, float]:
        return dict.fromkeys((*self.record.mean_metrics, *self.record.other_metrics), math.nan)

    def _outcome(
        self,
        document: Document,
        removed: Removed,
        logprobs: tuple[float, ...],
        is_greedy: tuple[bool, ...],
        scores: Mapping[str, Any],
    ) -> Outcome:
        means = self.record.mean_metrics
        return Outcome(
            document=document.record.key,
            removed=removed,
            logprobs=logprobs,
            is_greedy=is_greedy,
            metrics={name: scores[name] for name in means if name in scores},
            other={name: json_value(value) for name, value in scores.items() if name not in means},
        )

    def scores(self, document: Document, logprobs: Sequence[float], is_greedy: Sequence[bool]) -> dict[str, Any]:
        """Return what the task's ``process_results`` makes of one document; values that are means are numbers.

        Args:
            document: one of ``documents``.
            logprobs: one natural logarithm per request.
            is_greedy: whether each request's continuation was the most likely one.
        """
        rolling = self.record.output_type == "loglikelihood_rolling"
        results = list(logprobs) if rolling else list(zip(logprobs, is_greedy, strict=True))
        return self._with_means(self._built.task.process_results(document.source, results))

    def scores_of_text(self, document: Document, text: str) -> dict[str, Any]:
        """Return what the task makes of a text that the model wrote; values that are means are numbers."""
        return self._with_means(scores_of_text(self._built.task, document.instances[0], text))

    def _with_means(self, scores: Mapping[str, Any]) -> dict[str, Any]:
        return {**scores, **{name: float(scores[name]) for name in self.record.mean_metrics if name in scores}}


@compiled_once()
def prepare_task(
    built: BuiltTask,
    encoder: RequestEncoder,
    *,
    limit: Limit,
    order: Order,
    seed: int,
    apply_chat_template: bool,
) -> PreparedTask:
    """Render and encode the documents of a study.

    Args:
        built: the task with its data.
        encoder: the encoder of the model that is evaluated.
        limit: number of documents, or a part of them below 1; None for all.
        order: ``file`` takes the first documents, ``shuffled`` a seeded random sample.
        seed: seed of the shuffle.
        apply_chat_template: render prompts with the model's chat template.

    Raises:
        CornerstoneError: a document cannot be rendered, encoded or scored, or the model has no chat template.
    """
    if apply_chat_template and encoder.chat_template_text is None:
        raise CornerstoneError("apply_chat_template: this model's tokenizer has no chat template")
    chosen = _choose(len(built.docs), limit=limit, order=order, seed=seed)
    with encoder.chat_renderer() if apply_chat_template else nullcontext() as render_chat:
        rendered = dict(_render(built, chosen, render_chat))
    prepared = PreparedTask(
        record=_task_record(built, encoder, apply_chat_template=apply_chat_template),
        data=DataRecord(
            fingerprint=digest_of([json_value(doc) for doc in built.docs]), source=built.origin, size=len(built.docs)
        ),
        documents=tuple(_document(built, encoder, doc_id, rendered[doc_id]) for doc_id in chosen),
        _built=built,
    )
    for document in prepared.documents:
        _try_scoring(prepared, document, built)
    return prepared


def _try_scoring(prepared: PreparedTask, document: Document, built: BuiltTask) -> None:
    """Score a document with dummy results, so that a task whose scoring fails is reported before the model runs."""
    count = len(document.requests)
    try:
        if document.prompt is not None:
            prepared.scores_of_text(document, "")
        else:
            prepared.scores(document, [-1.0] * count, [False] * count)
    except DOCUMENT_FAULTS as error:
        raise CornerstoneError(
            f"{built.where(document.record.doc_id)}: {built.name} cannot be scored ({document_fault(error)})"
        ) from error


def _choose(size: int, *, limit: Limit, order: Order, seed: int) -> list[int]:
    """Return the ids of the chosen documents."""
    doc_ids = Draw(seed, size).doc_ids() if order == "shuffled" else list(range(size))
    return doc_ids[: documents_in(limit, size)]


def _render(
    built: BuiltTask, chosen: Sequence[int], render_chat: RenderChat | None
) -> Iterator[tuple[int, list[Instance]]]:
    """Yield the requests of each chosen document."""
    # lm-eval draws few-shot examples from one random stream, document after document. So all documents up to the last
    # chosen one are rendered; otherwise a document would not get the examples that it gets in lm-eval.
    walk = range(max(chosen) + 1) if built.num_fewshot else sorted(chosen)
    wanted = frozenset(chosen)
    for doc_id in walk:
        doc = built.docs[doc_id]
        try:
            instances = _requests(built, doc_id, doc, render_chat)
        except DOCUMENT_FAULTS as error:
            raise _not_rendered(built, doc_id, error) from error
        if doc_id in wanted:
            yield doc_id, instances


def _not_rendered(built: BuiltTask, doc_id: int, error: Exception) -> CornerstoneError:
    """Return the error for a document that cannot be rendered. Its examples, which are other documents, may be why."""
    others = range(len(built.docs)) if built.num_fewshot and built.file is not None else ()
    for one in (doc_id, *others):
        if (said := fault_of_document(built.task, built.docs[one])) is not None:
            return CornerstoneError(f"{built.where(one)}: {built.name} cannot be rendered ({said})")
    return CornerstoneError(f"{built.where(doc_id)}: {built.name} cannot be rendered ({document_fault(error)})")


def _requests(built: BuiltTask, doc_id: int, doc: Any, render_chat: RenderChat | None) -> list[Instance]:
    """Return lm-eval's requests about a document, as a chat if there is a function that renders chats."""
    context = built.task.fewshot_context(
        doc,
        num_fewshot=built.num_fewshot,
        apply_chat_template=render_chat is not None,
        fewshot_as_multiturn=True,
        chat_template=render_chat,
        gen_prefix=built.task.doc_to_prefix(doc),
    )
    instances = built.task.construct_requests(
        doc=doc,
        ctx=context,
        metadata=(built.name, doc_id, 1),
        apply_chat_template=render_chat is not None,
        chat_template=render_chat,
    )
    return instances if isinstance(instances, list) else [instances]


def _document(built: BuiltTask, encoder: RequestEncoder, doc_id: int, instances: list[Instance]) -> Document:
    """Encode a document, after checking its choices and its gold answer."""
    doc = instances[0].doc
    if built.task.OUTPUT_TYPE == WRITES:
        return _with_prompt(built, encoder, doc_id, instances)
    choices = _choices(built, doc, doc_id, instances)
    gold = _gold(built, doc, choices, doc_id)
    if "" in choices:
        raise CornerstoneError(f"{built.where(doc_id)}: a choice is empty")
    try:
        requests = tuple(encoder.encode(instance) for instance in instances)
    except EncodingFaultError as error:
        raise CornerstoneError(f"{built.where(doc_id)}: {error}") from error
    _check_lengths(built, doc_id, requests, encoder.max_length)
    rendered = [[instance.request_type, *instance.args] for instance in instances]
    return Document(
        DocumentRecord(
            key=digest_of([json_value(rendered), list(gold)]),
            doc_id=doc_id,
            gold=gold,
            prompt=str(instances[0].args[0]),
            choices=choices,
        ),
        doc,
        tuple(instances),
        requests,
    )


def _with_prompt(built: BuiltTask, encoder: RequestEncoder, doc_id: int, instances: list[Instance]) -> Document:
    """Encode a document for which the model writes a text."""
    (instance,) = instances
    try:
        prompt = encoder.encode_prompt(instance)
        right = right_text(built.task, instance.doc)
    except EncodingFaultError as error:
        raise CornerstoneError(f"{built.where(doc_id)}: {error}") from error
    except DOCUMENT_FAULTS as error:
        raise _not_rendered(built, doc_id, error) from error
    # Any field may decide how the text is scored.
    key = digest_of([json_value([instance.request_type, *instance.args]), json_value(instance.doc)])
    choices = (right,) if right else ()
    record = DocumentRecord(key, doc_id, (0,) if right else (), str(instance.args[0]), choices)
    return Document(record, instance.doc, (instance,), (), prompt)


def _choices(built: BuiltTask, doc: Any, doc_id: int, instances: Sequence[Instance]) -> tuple[str, ...]:
    """Return the choices of a document."""
    if built.task.OUTPUT_TYPE != "multiple_choice":
        return tuple(str(instance.args[-1]) for instance in instances)
    choices = built.task.doc_to_choice(doc)
    if isinstance(choices, str) or not choices or not all(isinstance(choice, str) for choice in choices):
        raise CornerstoneError(f"{built.where(doc_id)}: {fault_of_document(built.task, doc) or 'it has no choices'}")
    return tuple(choices)


def _gold(built: BuiltTask, doc: Any, choices: Sequence[str], doc_id: int) -> tuple[int, ...]:
    """Return the indices of the right choices."""
    if built.task.OUTPUT_TYPE != "multiple_choice":
        return (0,)
    part = "doc_to_text" if built.task.multiple_input else "doc_to_target"
    target = getattr(built.task, part)(doc)
    gold = tuple(_index(one, choices) for one in (target if isinstance(target, list) else [target]))
    if not gold:
        raise CornerstoneError(f"{built.where(doc_id)}: there is no gold answer")
    if any(index is None for index in gold):
        fields = sorted(fields_of(getattr(built.task.config, part)))
        made = f"{part} of {built.name}" + (f", from {', '.join(map(repr, fields))}" if fields else "")
        said = f"the gold answer {target!r} is none of its {len(choices)} choices ({made})"
        raise CornerstoneError(f"{built.where(doc_id)}: {said}")
    return tuple(index for index in gold if index is not None)


def _index(target: Any, choices: Sequence[str]) -> int | None:
    """Return the index of a gold answer that is given as text or as a number; None if it is not among the choices."""
    if isinstance(target, str):
        return choices.index(target) if target in choices else None
    return int(target) if isinstance(target, int | np.integer) and 0 <= target < len(choices) else None


def _check_lengths(built: BuiltTask, doc_id: int, requests: Sequence[Sequence[TokenRequest]], max_length: int) -> None:
    """Refuse a continuation that is longer than the model's context."""
    for part in (part for request in requests for part in request):
        if len(part.continuation) > max_length:
            raise CornerstoneError(
                f"{built.where(doc_id)}: a choice of {len(part.continuation)} tokens does not fit the model's context "
                f"of {max_length} tokens"
            )


def _task_record(built: BuiltTask, encoder: RequestEncoder, *, apply_chat_template: bool) -> TaskRecord:
    """Return the record that identifies the task and its prompt settings."""
    task = built.task
    aggregation = task.aggregation()
    writes = task.OUTPUT_TYPE == WRITES
    definition = {key: json_value(value) for key, value in task.dump_config().items() if key not in _NOT_THE_TASK}
    template = encoder.chat_template_text if apply_chat_template else None
    identity: list[Any] = [built.name, str(task.VERSION), built.num_fewshot, template, definition]
    means = [name for name, function in aggregation.items() if function is mean]
    others = [name for name, function in aggregation.items() if function is not mean]
    return TaskRecord(
        # The model's own settings for writing texts are in no file that identifies the model.
        fingerprint=digest_of([*identity, json_value(encoder.generation_settings)] if writes else identity),
        name=built.name,
        version=str(task.VERSION),
        num_fewshot=built.num_fewshot,
        chat_template=apply_chat_template,
        output_type=task.OUTPUT_TYPE,
        mean_metrics=value_names(task, means) if writes else tuple(means),
        other_metrics=value_names(task, others) if writes else tuple(others),
    )
