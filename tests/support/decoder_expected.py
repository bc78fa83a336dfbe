"""What is expected of each model type: how it is evaluated, its players, and the submodules that these are.

A line has the type, the way, the kinds of each layer's players, and their submodules. A refused type has the law that
it breaks in place of these. Kinds: A attention, S state space, L linear attention, C convolution, X other mixers,
F FFN, M experts. A layer without players does not run on texts: -. A player of two submodules joins them with &.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.coalitions.players import PlayerKind
from core.models.layout import Layout

_LETTERS: dict[PlayerKind, str] = {
    "attn": "A",
    "ssm": "S",
    "linear": "L",
    "conv": "C",
    "mixer": "X",
    "ffn": "F",
    "moe": "M",
}


@dataclass(frozen=True, slots=True)
class Expected:
    """What is expected of a model type: ``refused`` is a part of the sentence that refuses it, empty if accepted."""

    way: str
    kinds: str = ""
    parts: str = ""
    refused: str = ""

    @classmethod
    def of(cls, layout: Layout) -> Expected:
        """Return a layout as it is written here."""
        kinds = " ".join("".join(_LETTERS[sub.kind] for sub in layer.sublayers) or "-" for layer in layout.layers)
        parts = dict.fromkeys(
            " ".join("&".join(sub.parts) for sub in layer.sublayers) for layer in layout.layers if layer.sublayers
        )
        return cls(layout.way, kinds, "; ".join(parts))


def _read(table: str) -> dict[str, Expected]:
    expected = {}
    for line in filter(None, table.splitlines()):
        name, way, *rest = (cell.strip() for cell in line.split("|"))
        expected[name] = Expected(way, refused=rest[0]) if way == "refused" else Expected(way, rest[0], rest[1])
    return expected


OF_DECODERS = _read(
    """
afmoe                    | packed   | AF AM AM AM       | self_attn mlp
apertus                  | packed   | AF AF AF AF       | self_attn mlp
arcee                    | packed   | AF AF AF AF       | self_attn mlp
aria_text                | packed   | AM AM AM AM       | self_attn mlp
axk1                     | packed   | AF AM AM AM       | self_attn mlp
axk2                     | packed   | AF AM AM AM       | self_attn mlp
bailing_hybrid           | mixed    | LF AM LM AM       | self_attn mlp
bamba                    | mixed    | SF AF SF AF       | mamba feed_forward; self_attn feed_forward
beam                     | packed   | AF AF AF AM       | self_attn mlp
biogpt                   | packed   | AF AF AF AF       | self_attn fc2
bitnet                   | packed   | AF AF AF AF       | self_attn mlp
bloom                    | packed   | AF AF AF AF       | self_attention.dense mlp.dense_4h_to_h
blt                      | refused  | two stacks of layers run
codegen                  | packed   | AF AF AF AF       | attn mlp
cohere                   | packed   | AF AF AF AF       | self_attn mlp
cohere2                  | packed   | AF AF AF AF       | self_attn mlp
cohere2_moe              | packed   | AF AM AM AM       | self_attn mlp
cohere_compass_text      | packed   | AF AF AF AF       | self_attn mlp
cpmant                   | refused  | must not change what is said before it
ctrl                     | packed   | AF AF AF AF       | multi_head_attention ffn
cwm                      | packed   | AF AF AF AF       | self_attn mlp
dbrx                     | packed   | AM AM AM AM       | norm_attn_norm.attn ffn
deepseek_v2              | packed   | AF AM AM AM       | self_attn mlp
deepseek_v3              | packed   | AF AM AM AM       | self_attn mlp
deepseek_v32             | packed   | AF AM AM AM       | self_attn mlp
deepseek_v4              | refused  | mixes its 4 streams of hidden states
diffllama                | packed   | AF AF AF AF       | self_attn mlp
doge                     | packed   | AF AF AF AF       | self_attn mlp
dots1                    | packed   | AF AM AM AM       | self_attn mlp
dots3_note               | packed   | AF AM AM AM       | self_attn mlp
dots3_note_text          | packed   | AF AM AM AM       | self_attn mlp
emu3                     | packed   | AF AF AF AF       | self_attn mlp
ernie4_5                 | packed   | AF AF AF AF       | self_attn mlp
ernie4_5_moe             | packed   | AF AM AM AM       | self_attn mlp
exaone4                  | packed   | AF AF AF AF       | self_attn mlp
exaone_moe               | packed   | AF AM AM AM       | self_attn mlp
falcon                   | packed   | AF AF AF AF       | self_attention mlp
falcon_h1                | unpacked | XF XF XF XF       | mamba&self_attn feed_forward
falcon_mamba             | unpacked | S S S S           | mixer
flex_olmo                | packed   | AM AM AM AM       | self_attn mlp
flint                    | packed   | AF AF AF AM       | self_attn mlp
fuyu                     | packed   | AF AF AF AF       | self_attn mlp
gemma                    | packed   | AF AF AF AF       | self_attn mlp
gemma2                   | packed   | AF AF AF AF       | self_attn mlp
gemma3                   | packed   | AF AF AF AF       | self_attn mlp
gemma3_text              | packed   | AF AF AF AF       | self_attn mlp
gemma3n                  | refused  | timm
gemma3n_text             | refused  | streams of hidden states
gemma4                   | packed   | AF AF AF AF       | self_attn mlp
gemma4_assistant         | refused  | a draft head
gemma4_text              | packed   | AF AF AF AF       | self_attn mlp
gemma4_unified           | packed   | AF AF AF AF       | self_attn mlp
gemma4_unified_assistant | refused  | a draft head
gemma4_unified_text      | packed   | AF AF AF AF       | self_attn mlp
git                      | refused  | no skip connection around them
glm                      | packed   | AF AF AF AF       | self_attn mlp
glm4                     | packed   | AF AF AF AF       | self_attn mlp
glm4_moe                 | packed   | AF AM AM AM       | self_attn mlp
glm4_moe_lite            | packed   | AF AM AM AM       | self_attn mlp
glm_moe_dsa              | packed   | AF AM AM AM       | self_attn mlp
got_ocr2                 | packed   | AF AF AF AF       | self_attn mlp
gpt-sw3                  | packed   | AF AF AF AF       | attn mlp
gpt2                     | packed   | AF AF AF AF       | attn mlp
gpt_bigcode              | packed   | AF AF AF AF       | attn mlp
gpt_neo                  | mixed    | AF AF AF AF       | attn mlp
gpt_neox                 | packed   | AF AF AF AF       | attention mlp
gpt_neox_japanese        | packed   | AF AF AF AF       | attention mlp
gpt_oss                  | packed   | AM AM AM AM       | self_attn mlp
gptj                     | packed   | AF AF AF AF       | attn mlp
granite                  | packed   | AF AF AF AF       | self_attn mlp
granite_swa              | packed   | AF AF AF AF       | self_attn mlp
granitemoe               | packed   | AM AM AM AM       | self_attn block_sparse_moe
granitemoe_swa           | packed   | AM AM AM AM       | self_attn block_sparse_moe&shared_mlp
granitemoehybrid | mixed | SM AM SM AM | mamba block_sparse_moe&shared_mlp; self_attn block_sparse_moe&shared_mlp
granitemoeshared         | packed   | AM AM AM AM       | self_attn block_sparse_moe&shared_mlp
helium                   | packed   | AF AF AF AF       | self_attn mlp
hrm_text                 | refused  | run more than once
hunyuan_v1_dense         | packed   | AF AF AF AF       | self_attn mlp
hunyuan_v1_moe           | packed   | AM AM AM AM       | self_attn mlp
hy_v3                    | packed   | AF AM AM AM       | self_attn mlp
hy_v4                    | whole    | AF AM AM AM       | self_attn mlp
hyperclovax              | packed   | AF AF AF AF       | self_attn mlp
inkling2_text            | refused  | no skip connection around them
inkling_text             | unpacked | AX AX AX AX       | self_attn mlp
internlm3                | packed   | AF AF AF AF       | self_attn mlp
iquestcoder              | packed   | AF AF AF AF       | self_attn mlp
jais2                    | packed   | AF AF AF AF       | self_attn mlp
jamba                    | mixed    | SF AM SF AM       | mamba feed_forward; self_attn feed_forward
jetmoe                   | packed   | AM AM AM AM       | self_attention mlp
kimi_linear              | mixed    | LF AM LM AM       | self_attn mlp
kolibri1                 | packed   | AM AM AM AM       | self_attn mlp
laguna                   | packed   | AF AM AM AM       | self_attn mlp
lfm2                     | mixed    | CF AF CF AF       | conv feed_forward; self_attn feed_forward
lfm2_moe                 | mixed    | CF AM CM AM       | conv feed_forward; self_attn feed_forward
lfm3                     | mixed    | CF AF AF CF       | conv feed_forward; self_attn feed_forward
llama                    | packed   | AF AF AF AF       | self_attn mlp
llama4                   | packed   | AF AM AF AM       | self_attn feed_forward
llama4_text              | packed   | AF AM AF AM       | self_attn feed_forward
longcat_flash            | packed   | AMAF AMAF         | self_attn.0 mlp&mlps.0 self_attn.1 mlps.1
mamba                    | unpacked | S S S S           | mixer
mamba2                   | unpacked | S S S S           | mixer
mellum                   | packed   | AM AM AM AM       | self_attn mlp
mimo_v2_flash            | packed   | AF AM AM AM       | self_attn mlp
minicpm3                 | packed   | AF AF AF AF       | self_attn mlp
minimax                  | refused  | norm before or after its skip connection
minimax_m2               | packed   | AM AM AM AM       | self_attn mlp
minimax_m3_vl_text       | packed   | AM AM AM AM       | self_attn mlp
ministral                | packed   | AF AF AF AF       | self_attn mlp
ministral3               | packed   | AF AF AF AF       | self_attn mlp
mistral                  | packed   | AF AF AF AF       | self_attn mlp
mixtral                  | packed   | AM AM AM AM       | self_attn mlp
mllama                   | packed   | AF AF AF -        | self_attn mlp
modernbert-decoder       | packed   | AF AF AF AF       | attn mlp
moshi                    | packed   | AF AF AF AF       | self_attn mlp
moss_transcribe_diarize  | packed   | AF AF AF AF       | self_attn mlp
mpt                      | unpacked | AF AF AF AF       | attn ffn.down_proj
nanochat                 | packed   | AF AF AF AF       | self_attn mlp
nemotron                 | packed   | AF AF AF AF       | self_attn mlp
nemotron_h               | mixed    | S M A F           | mixer
olmo                     | packed   | AF AF AF AF       | self_attn mlp
olmo2                    | packed   | AF AF AF AF       | self_attn mlp
olmo3                    | packed   | AF AF AF AF       | self_attn mlp
olmo_hybrid              | mixed    | LF AF LF AF       | linear_attn mlp; self_attn mlp
olmoe                    | packed   | AM AM AM AM       | self_attn mlp
openai-gpt               | refused  | norm before or after its skip connection
opt                      | packed   | AF AF AF AF       | self_attn fc2
persimmon                | packed   | AF AF AF AF       | self_attn mlp
phi                      | packed   | AF AF AF AF       | self_attn mlp
phi3                     | packed   | AF AF AF AF       | self_attn mlp
phi4_multimodal          | packed   | AF AF AF AF       | self_attn mlp
phimoe                   | packed   | AM AM AM AM       | self_attn mlp
qwen2                    | packed   | AF AF AF AF       | self_attn mlp
qwen2_moe                | packed   | AF AM AF AM       | self_attn mlp
qwen3                    | packed   | AF AF AF AF       | self_attn mlp
qwen3_5                  | mixed    | LF AF LF AF       | linear_attn mlp; self_attn mlp
qwen3_5_moe              | mixed    | LM AM LM AM       | linear_attn mlp; self_attn mlp
qwen3_5_moe_text         | mixed    | LM AM LM AM       | linear_attn mlp; self_attn mlp
qwen3_5_text             | mixed    | LF AF LF AF       | linear_attn mlp; self_attn mlp
qwen3_moe                | packed   | AM AM AM AM       | self_attn mlp
qwen3_next               | mixed    | LF AM LF AM       | linear_attn mlp; self_attn mlp
qwen4_exp                | mixed    | LM AM XLM AM      | linear_attn mlp; self_attn mlp; ple linear_attn mlp
qwen4_exp_text           | mixed    | LM AM XLM AM      | linear_attn mlp; self_attn mlp; ple linear_attn mlp
recurrent_gemma          | mixed    | LF LF AF LF LF AF | temporal_block mlp_block
rwkv                     | refused  | norm before or after its skip connection
seed_oss                 | packed   | AF AF AF AF       | self_attn mlp
smollm3                  | packed   | AF AF AF AF       | self_attn mlp
solar_open               | packed   | AM AM AM AM       | self_attn mlp
stablelm                 | packed   | AF AF AF AF       | self_attn mlp
starcoder2               | packed   | AF AF AF AF       | self_attn mlp
vaultgemma               | packed   | AF AF AF AF       | self_attn mlp
xglm                     | packed   | AF AF AF AF       | self_attn fc2
xlstm                    | unpacked | LF LF LF LF       | mlstm_layer ffn
youtu                    | packed   | AF AF AF AF       | self_attn mlp
zamba                    | unpacked | S S S S S S       | mamba; mamba_decoder.mamba
zamba2                   | unpacked | S S S S           | mamba; mamba_decoder.mamba
zaya                     | whole    | AM AM AM AM       | self_attn mlp
"""
)

OF_WRAPPERS = _read(
    """
aria            | packed   | AM AM AM AM | self_attn mlp
aya_vision      | packed   | AF AF AF AF | self_attn mlp
cohere2_vision  | packed   | AF AF AF AF | self_attn mlp
exaone4_5       | packed   | AF AF AF AF | self_attn mlp
glm4v           | packed   | AF AF AF AF | self_attn mlp
glm4v_moe       | packed   | AF AM AM AM | self_attn mlp
idefics3        | packed   | AF AF AF AF | self_attn mlp
internvl        | packed   | AF AF AF AF | self_attn mlp
kimi_k25        | packed   | AF AM AM AM | self_attn mlp
lfm2_vl         | mixed    | CF AF CF AF | conv feed_forward; self_attn feed_forward
llava           | packed   | AF AF AF AF | self_attn mlp
llava_next      | packed   | AF AF AF AF | self_attn mlp
llava_onevision | packed   | AF AF AF AF | self_attn mlp
mistral3        | packed   | AF AF AF AF | self_attn mlp
mistral4        | packed   | AF AM AM AM | self_attn mlp
ovis2           | packed   | AF AF AF AF | self_attn mlp
paligemma       | refused  | must not change what is said before it
qwen2_5_vl      | packed   | AF AF AF AF | self_attn mlp
qwen2_vl        | packed   | AF AF AF AF | self_attn mlp
qwen3_vl        | packed   | AF AF AF AF | self_attn mlp
qwen3_vl_moe    | packed   | AM AM AM AM | self_attn mlp
smolvlm         | packed   | AF AF AF AF | self_attn mlp
"""
)

OF_VARIANTS = _read(
    """
gemma4_text: shared keys           | whole    | AF AF AF AF | self_attn mlp
gemma4_text: experts               | packed   | AM AM AM AM | self_attn mlp&experts
gemma4_text: no embedding a layer  | packed   | AF AF AF AF | self_attn mlp
gemma3n_text: shared keys          | refused  | streams of hidden states
falcon: alibi                      | packed   | AF AF AF AF | self_attention mlp
falcon: new decoder                | packed   | AF AF AF AF | self_attention mlp
falcon: sequential                 | packed   | AF AF AF AF | self_attention mlp
stablelm: parallel                 | packed   | AF AF AF AF | self_attn mlp
phi3: longrope                     | unpacked | AF AF AF AF | self_attn mlp
llama: dynamic rope                | packed   | AF AF AF AF | self_attn mlp
opt: norm after                    | refused  | norm before or after its skip connection
opt: narrow embedding              | packed   | AF AF AF AF | self_attn fc2
gpt_bigcode: multi-head            | packed   | AF AF AF AF | attn mlp
bloom: residual after norm         | refused  | no skip connection around them
gpt_neox: sequential               | packed   | AF AF AF AF | attention mlp
qwen3_5_text: all linear           | unpacked | LF LF LF LF | linear_attn mlp
axk2: few keys                     | unpacked | AF AM AM AM | self_attn mlp
deepseek_v32: few keys             | unpacked | AF AM AM AM | self_attn mlp
dots3_note_text: few keys          | unpacked | AF AM AM AM | self_attn mlp
hy_v4: few keys                    | whole    | AF AM AM AM | self_attn mlp
glm_moe_dsa: few keys, two heads   | unpacked | AF AM AM AM | self_attn mlp
qwen4_exp_text: few keys           | unpacked | LM AM XLM AM | linear_attn mlp; self_attn mlp; ple linear_attn mlp
doge: few keys                     | unpacked | AF AF AF AF | self_attn mlp
gpt2: cross-attention              | packed   | AF AF AF AF | attn mlp
granitemoehybrid: attention only   | packed   | AM AM AM AM | self_attn block_sparse_moe&shared_mlp
granitemoehybrid: no experts       | mixed    | SF AF SF AF | mamba shared_mlp; self_attn shared_mlp
gemma2: caps                       | packed   | AF AF AF AF | self_attn mlp
gemma3_text: a window of one token | packed   | AF AF AF AF | self_attn mlp
llama: biases, tied                | packed   | AF AF AF AF | self_attn mlp
llama: one layer                   | packed   | AF          | self_attn mlp
minimax_m3_vl_text: blocks of keys | unpacked | AF AM AM AM | self_attn mlp
zaya: sliding                      | whole    | AM AM AM AM | self_attn mlp
hy_v4: no shared index             | packed   | AF AM AM AM | self_attn mlp
mpt: learned positions             | unpacked | AF AF AF AF | attn ffn.down_proj
falcon_h1: multipliers             | unpacked | XF XF XF XF | mamba&self_attn feed_forward
granite: multipliers               | packed   | AF AF AF AF | self_attn mlp
"""
)
