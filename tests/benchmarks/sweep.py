"""`make bench`: the sweep against a loop of lm-eval over coalitions, on this machine, in one run.

Both evaluate the same documents of a shipped task. The sweep does all windows; the loop is timed on a few coalitions
and its total taken by proportion. Loading and building are outside both.
"""

from __future__ import annotations

import time

import numpy as np
import torch
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM

from core.config import DEFAULT_MODEL
from core.decoder import Decoder
from core.documents import PreparedTask, prepare_task
from core.encoding import RequestEncoder
from core.models import LoadedModel, load_model
from core.packing import pack
from core.removal import removed_from
from core.schedules import windows
from core.sources import find_model
from core.sweep import sweep
from core.tasks import build_task

TASK, DOCUMENTS, TIMED, BATCH = "categories", 16, 6, 16


def main() -> None:
    model = load_model(find_model(DEFAULT_MODEL, revision=None, offline=False, narrate=print))
    encoder = RequestEncoder(model)
    built = build_task(TASK, data=None, num_fewshot=None, offline=False, narrate=print)
    task = prepare_task(built, encoder, limit=DOCUMENTS, order="file", seed=0, apply_chat_template=False)
    coalitions = windows(len(model.players))
    row = pack([document.continuations for document in task.documents], encoder.max_length)
    decoder = Decoder(model.model, model.family)
    sweep(decoder, row, coalitions[:3], batch_tokens=1024)  # warm-up
    start = time.perf_counter()
    scores = sweep(decoder, row, coalitions, batch_tokens=1024)
    swept = time.perf_counter() - start
    step = len(coalitions) // TIMED
    sample = range(0, step * TIMED, step)
    looped, difference = _loop(model, task, [coalitions[i] for i in sample], scores.logprobs[list(sample)])
    whole = looped / TIMED * len(coalitions)
    print(f"{TASK}, {DOCUMENTS} documents, {len(coalitions)} coalitions, {torch.get_num_threads()} threads")
    print(f"sweep         {swept:8.1f} s")
    print(f"lm-eval loop  {whole:8.1f} s (by proportion from {TIMED} coalitions, batch size {BATCH})")
    print(f"speedup       {whole / swept:8.1f} x, largest log-probability difference {difference:.1e}")


def _loop(
    model: LoadedModel, task: PreparedTask, coalitions: list[tuple[int, ...]], ours: np.ndarray
) -> tuple[float, float]:
    lm = HFLM(pretrained=model.model, tokenizer=model.tokenizer, batch_size=BATCH)
    requests = [
        Instance("loglikelihood", {}, (document.record.prompt, f" {choice}"), index)
        for document in task.documents
        for index, choice in enumerate(document.record.choices)
    ]
    lm.loglikelihood(requests[:BATCH], disable_tqdm=True)  # warm-up
    seconds, difference = 0.0, 0.0
    for removed, mine in zip(coalitions, ours, strict=True):
        with removed_from(model.model, model.family, removed), torch.inference_mode():
            start = time.perf_counter()
            found = lm.loglikelihood(requests, disable_tqdm=True)
            seconds += time.perf_counter() - start
        difference = max(difference, float(np.abs(mine - [logprob for logprob, _ in found]).max()))
    return seconds, difference


if __name__ == "__main__":
    main()
