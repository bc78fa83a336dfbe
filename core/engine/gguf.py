"""Convert a GGUF file to safetensors once, because GGUF takes half a minute to read and safetensors seconds."""

from __future__ import annotations

import errno
import io
import os
import re
from collections.abc import Mapping
from contextlib import redirect_stderr
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import AutoTokenizer, PreTrainedModel

from core.engine.gguf_config import suit_to_file
from core.engine.load_faults import load_faults
from core.engine.open_model import open_weights, read_config
from core.engine.same_model import refuse_far_larger, refuse_other_weights
from core.errors import CornerstoneError
from core.machine.own_folder import own_folder
from core.machine.quiet_libraries import quiet_libraries
from core.models.converted import declare_complete, is_complete
from core.models.gguf_header import check_gguf

_ATTEMPTS = 3
_NAME = "model.gguf"


def convert_gguf(gguf: Path, target: Path) -> None:
    """Write the model and tokenizer in ``gguf`` to the folder ``target``, dequantized to float32.

    ``target`` is created complete or not at all. A folder there that is not complete is replaced.

    Raises:
        CornerstoneError: the file cannot be read as a model, or the converted model cannot be written.
    """
    # transformers shows a progress bar for GGUF that no option turns off.
    with quiet_libraries(), redirect_stderr(io.StringIO()), own_folder(target.parent) as scratch:
        with TemporaryDirectory() as alone:
            model, tokenizer = _read(gguf, Path(alone))
        _forget_quantization(model)
        folder = Path(scratch) / "model"
        try:
            model.save_pretrained(folder)
            tokenizer.save_pretrained(folder)
            _move_into_place(folder, target)
        except Exception as error:  # tokenizers raises no narrower one
            if not isinstance(error, OSError | SafetensorError) and "os error" not in str(error):
                raise
            raise _unwritten(error, target) from error


def _unwritten(error: Exception, target: Path) -> CornerstoneError:
    """Return the error of a converted model that could not be written."""
    full = getattr(error, "errno", None) in {errno.ENOSPC, errno.EDQUOT} or "No space left" in str(error)
    if full:
        return CornerstoneError(f"the disk is full: the converted model did not fit into {target.parent}")
    return CornerstoneError(f"cannot write the converted model to {target}: {str(error).partition(chr(10))[0]}")


def _read(gguf: Path, alone: Path) -> tuple[PreTrainedModel, Any]:
    """Return the model and the tokenizer in a GGUF file.

    ``alone`` is an empty folder, in which the file gets a name. Beside other files transformers would read those too:
    a tokenizer of another model, an adapter, code.
    """
    header = check_gguf(gguf)
    sizes = dict(header.sizes)
    (alone / _NAME).symlink_to(gguf.resolve())
    with load_faults(f"{gguf} as a GGUF model", str(gguf)):
        config = read_config(alone, gguf_file=_NAME)
        for name in suit_to_file(config, header, gguf):
            del sizes[name]
        refuse_far_larger(config, gguf, sum(sizes.values()))
        model, found = open_weights(alone, config, gguf_file=_NAME, dtype=torch.float32)
        tokenizer = AutoTokenizer.from_pretrained(alone, gguf_file=_NAME, trust_remote_code=False)
    refuse_other_weights(config, gguf, found)
    _refuse_left_over(gguf, sizes, model)
    return model, tokenizer


def _refuse_left_over(gguf: Path, tensors: Mapping[str, int], model: PreTrainedModel) -> None:
    """Raise if the file holds more than the model has, because transformers leaves out tensors that it does not know.

    ``tensors``: the number of elements of each tensor in the file.
    """
    if sum(tensors.values()) <= sum(weight.numel() for weight in model.parameters()):
        return
    usual = re.compile(r"(token_embd|output|output_norm|position_embd|blk\.\d+\.(attn|ffn)_[a-z]+)\.(weight|bias)")
    left = min(tensors, key=lambda name: (usual.fullmatch(name) is not None, name))
    raise CornerstoneError(
        f"cannot read {gguf} as a GGUF model (it has a tensor that transformers leaves out, probably {left[:80]}; "
        "without that it would be another model)"
    )


def _forget_quantization(model: torch.nn.Module) -> None:
    """Delete the attributes that would make transformers save, or later load, the float32 weights as quantized."""
    config = model.config
    for owner, attribute in ((config, "quantization_config"), (model, "hf_quantizer"), (model, "is_quantized")):
        if attribute in vars(owner):
            delattr(owner, attribute)


def _move_into_place(folder: Path, target: Path) -> None:
    """Move a folder to ``target``, which appears in one step, with all its files on the disk."""
    if not declare_complete(folder):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    for file in folder.iterdir():
        with file.open("rb") as written:
            os.fsync(written.fileno())
    for attempt in range(_ATTEMPTS):
        try:
            folder.rename(target)
        except OSError:
            # Another process has converted the same file in the meantime, or what is there is not complete.
            if is_complete(target):
                return
            target.rename(folder.with_name(f"damaged-{attempt}"))
        else:
            return
    raise OSError(errno.EEXIST, f"other programs keep writing to {target}")
