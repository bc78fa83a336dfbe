"""Which rules for writing a text can be evaluated: those that look at the logits and tokens of that text alone."""

from __future__ import annotations

from typing import Final

from transformers import GenerationConfig
from transformers.generation import GenerationMode

from core.engine.prompt import Rules

_PROCESSORS: Final = frozenset(
    {
        "EncoderNoRepeatNGramLogitsProcessor",
        "EncoderRepetitionPenaltyLogitsProcessor",
        "ExponentialDecayLengthPenalty",
        "ForcedBOSTokenLogitsProcessor",
        "ForcedEOSTokenLogitsProcessor",
        "InfNanRemoveLogitsProcessor",
        "LogitNormalization",
        "MinLengthLogitsProcessor",
        "MinNewTokensLengthLogitsProcessor",
        "NoBadWordsLogitsProcessor",
        "NoRepeatNGramLogitsProcessor",
        "RepetitionPenaltyLogitsProcessor",
        "SequenceBiasLogitsProcessor",
        "SuppressTokensAtBeginLogitsProcessor",
        "SuppressTokensLogitsProcessor",
    }
)
"""Processors that treat each text by itself. Others may run the model, or draw at random."""

_CRITERIA: Final = frozenset({"EosTokenCriteria", "MaxLengthCriteria", "MultiTokenEOSCriteria", "StopStringCriteria"})
"""Criteria that look at the tokens of a text. Others may look at the clock."""


def fault_of_rules(rules: Rules, settings: GenerationConfig) -> str | None:
    """Return why a text that follows these rules cannot be evaluated; None if it can.

    Args:
        rules: what transformers applies.
        settings: the settings from which it made them.
    """
    mode = settings.get_generation_mode()
    if mode != GenerationMode.GREEDY_SEARCH:
        return f"its texts are written by {mode.value.replace('_', ' ')}, and only greedy search can be evaluated"
    if settings.return_dict_in_generate:
        return "return_dict_in_generate is set, with which lm-eval fails"
    for rule, known in ((rules.processors, _PROCESSORS), (rules.ends, _CRITERIA)):
        for each in rule:
            if type(each).__name__ not in known:
                return f"its texts follow {type(each).__name__}, which is not a rule on logits and tokens alone"
    return None
