"""Build tiny models that need no download: a random Llama of four layers, with a byte-level tokenizer of its own."""

from __future__ import annotations

import sys
from importlib import resources
from pathlib import Path


def build(folder: Path, seed: int) -> None:
    """Write a model folder of about 200 kB. The seed draws its weights; all else is the same for all seeds."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=600,
        special_tokens=["<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    rows = (resources.files("configs") / "tasks" / "agreement.jsonl").read_text(encoding="utf-8")
    tokenizer.train_from_iterator(rows.splitlines(), trainer)
    whole = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", pad_token="</s>")
    torch.manual_seed(seed)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(whole),
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=4,
            num_attention_heads=2,
            num_key_value_heads=1,
            max_position_embeddings=256,
            bos_token_id=whole.bos_token_id,
            eos_token_id=whole.eos_token_id,
        )
    )
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.3)
    model.save_pretrained(folder)
    whole.save_pretrained(folder)


if __name__ == "__main__":
    build(Path(sys.argv[1]), int(sys.argv[2]))
