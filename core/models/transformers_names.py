"""Which architectures the installed transformers knows, read from its source text. Light: transformers takes seconds.

Its tables are dictionaries of plain names, from a ``model_type`` to the name of a class.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Final

CONFIGS: Final = "CONFIG_MAPPING_NAMES"
DECODERS: Final = "MODEL_FOR_CAUSAL_LM_MAPPING_NAMES"
IMAGES_AND_TEXT: Final = "MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES"
SEVERAL_INPUTS: Final = "MODEL_FOR_MULTIMODAL_LM_MAPPING_NAMES"
MASKED: Final = "MODEL_FOR_MASKED_LM_MAPPING_NAMES"
ENCODER_DECODERS: Final = "MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES"
SPEECH: Final = "MODEL_FOR_SPEECH_SEQ_2_SEQ_MAPPING_NAMES"

_FILES: Final = ("auto_mappings.py", "configuration_auto.py", "modeling_auto.py")
_TABLE: Final = re.compile(r"^(\w+_NAMES)(?: = OrderedDict|\.update)\($")
_ENTRY: Final = re.compile(r"""^\s+\(?"([^"]+)"[,:]\s*"(\w+)"\)?,?\s*(?:#.*)?$""")


def table(name: str) -> Mapping[str, str]:
    """Return a table of transformers by its name: classes by ``model_type``. Empty if it is not found.

    Entries that other tables share are left out: of ``SEVERAL_INPUTS``, those of ``IMAGES_AND_TEXT``.
    """
    return _tables().get(name, {})


@cache
def _tables() -> Mapping[str, Mapping[str, str]]:
    spec = find_spec("transformers")  # does not import it
    roots = [] if spec is None else [Path(place) for place in spec.submodule_search_locations or ()]
    found: dict[str, dict[str, str]] = {}
    for root in roots:
        for file in (root / "models" / "auto" / name for name in _FILES):
            if file.is_file():
                for name, key, value in _entries(file.read_text(encoding="utf-8")):
                    found.setdefault(name, {})[key] = value
    return MappingProxyType(found)


def _entries(source: str) -> Iterator[tuple[str, str, str]]:
    """Yield the table, the key and the value of each entry in a file that has one entry a line."""
    name = None
    for line in source.splitlines():
        if begun := _TABLE.match(line):
            name = begun[1]
        elif line.startswith(")"):
            name = None
        elif name is not None and (entry := _ENTRY.match(line)):
            yield name, entry[1], entry[2]
