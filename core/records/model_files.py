"""The files of a model folder that transformers loads: they decide the model's numbers.

All of them lie in the folder. The hub cache is the one exception: its folders of snapshots are links to its blobs.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

from core.errors import CornerstoneError, Mend
from core.machine.file_state import FileState
from core.machine.plain_text import short_repr
from core.records.json_object import MOST_VOCABULARY, read_json_object
from core.records.special_tokens import adds_more, names_more

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
_TOKENIZER_CONFIG = "tokenizer_config.json"
_ADDED_TOKENS = "added_tokens.json"
_SPECIAL_TOKENS = "special_tokens_map.json"
_TOKENIZER = ("tokenizer.json", "tokenizer.model", "vocab.json", "merges.txt", _TOKENIZER_CONFIG, "*.jinja")
# Vocabularies of single tokenizer classes (VOCAB_FILES_NAMES in transformers).
_RARE_VOCABULARIES = (
    "vocab.txt",
    "vocab-src.json",
    "vocab-tgt.json",
    "target_vocab.json",
    "entity_vocab.json",
    "byte_maps.json",
    "emoji.json",
    "normalizer.json",
    "dict.txt",
    "bpe.codes",
    "prophetnet.tokenizer",
    "spiece.model",
    "spm.model",
    "spm_char.model",
    "sentencepiece.model",
    "sentencepiece.bpe.model",
    "word_shape.json",
    "word_pronunciation.json",
    "*.tiktoken",
)
# Read only where there is no tokenizer.json.
_FALLBACK_VOCABULARIES = ("tekken.json", "tiktoken.model", "tokenizer.model.*")
_CONFIG_VERSIONS = "config.*.json"
_TEMPLATE_FOLDER = "additional_chat_templates"
# Settings of a tokenizer in which a text is the path of a file, beside all those whose names end with "_file".
_PATHS = frozenset({"vocab", "merges"})
_NEVER_OPENED = "special_tokens_map_file"


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """The files that decide a model's numbers.

    Attributes:
        folder: the model folder.
        config: the content of config.json.
        weights: the weights, in the order in which they are loaded.
        tokenizer: what a tokenizer usually has, sorted.
        rare: all other files that are loaded: vocabularies of single tokenizer classes, special tokens that only an old
            file names, versions of config.json and tokenizer.json, named chat templates; sorted.
    """

    folder: Path
    config: Mapping[str, Any]
    weights: tuple[Path, ...]
    tokenizer: tuple[Path, ...]
    rare: tuple[Path, ...]

    @property
    def versions(self) -> tuple[Path, ...]:
        """Return those of ``rare`` that may take the place of config.json, in some version of transformers."""
        return tuple(path for path in self.rare if fnmatchcase(path.name, _CONFIG_VERSIONS))

    def states(self) -> dict[Path, FileState]:
        """Return the state of each file, config.json and the index of the weights included.

        Raises:
            CornerstoneError: a file is gone.
        """
        others = [path for name in (CONFIG, INDEX) if (path := self.folder / name).is_file()]
        try:
            return {path: FileState.of(path.stat()) for path in (*others, *self.weights, *self.tokenizer, *self.rare)}
        except OSError as error:
            raise CornerstoneError(f"cannot read {error.filename}: {error.strerror}") from error


def model_files(folder: Path) -> ModelFiles:
    """Return the files of a model folder that are loaded.

    Raises:
        CornerstoneError: a file is missing, damaged, no regular file or outside the folder, or the folder holds an
            adapter.
    """
    try:
        return _model_files(folder)
    except OSError as error:  # a folder that may not be entered, a name that is too long
        raise CornerstoneError(f"cannot read the model in {folder}: {error.strerror}") from error


def _model_files(folder: Path) -> ModelFiles:
    if (folder / "adapter_config.json").exists():
        raise CornerstoneError(f"{folder} holds an adapter, which needs the model that it adapts", Mend.GIVE_ADAPTER)
    if not (folder / CONFIG).is_file():
        raise CornerstoneError(f"{folder} is not a model folder: it has no {CONFIG}")
    config = read_json_object(own_file(folder, CONFIG))
    weights = tuple(own_file(folder, name) for name in _weight_names(folder, config))
    tokenizer = sorted({path.name for pattern in _TOKENIZER for path in folder.glob(pattern)})
    rare = sorted(set(_rare_names(folder, config)))
    found = ModelFiles(
        folder,
        config,
        weights,
        tuple(own_file(folder, name) for name in tokenizer),
        tuple(own_file(folder, name) for name in rare),
    )
    _refuse_other_paths(_tokenizer_settings(folder), folder / _TOKENIZER_CONFIG, found)
    if folder / _SPECIAL_TOKENS in found.rare:
        _refuse_other_paths(read_json_object(folder / _SPECIAL_TOKENS), folder / _SPECIAL_TOKENS, found)
    return found


def states_of(folder: Path) -> dict[Path, FileState]:
    """Return the states of the files of a model folder, for ``refuse_changed``.

    Raises:
        CornerstoneError: ``model_files`` refuses the folder.
    """
    return model_files(folder).states()


def refuse_changed(folder: Path, before: Mapping[Path, FileState]) -> None:
    """Raise if a file of a model folder has changed since ``before``, so that what was loaded is unknown.

    Raises:
        CornerstoneError: a file has changed, is new or is gone.
    """
    refuse_other_states(states_of(folder), before)


def refuse_other_states(after: Mapping[Path, FileState], before: Mapping[Path, FileState]) -> None:
    """Raise if files have changed while a model was loaded from them.

    Raises:
        CornerstoneError: a file has changed, is new or is gone.
    """
    if changed := sorted(str(path) for path in {*after, *before} if after.get(path) != before.get(path)):
        raise CornerstoneError(f"{changed[0]} changed while the model was loaded; run again once it is written")


def missing_of(listed: Collection[str], folder: Path) -> list[str]:
    """Return the files of a repository that a model needs, but that are missing in its folder.

    Args:
        listed: the names of all files of the repository.
        folder: where its files are.
    """
    patterns = (*_TOKENIZER, _ADDED_TOKENS, _SPECIAL_TOKENS, *_RARE_VOCABULARIES)
    needed = {name for name in listed if "/" not in name and any(fnmatchcase(name, one) for one in patterns)}
    needed |= {CONFIG}
    needed |= {WEIGHTS} if WEIGHTS in listed else {INDEX} & set(listed)
    return sorted(name for name in needed if not (folder / name).is_file())


def has_vocabulary(folder: Path) -> bool:
    """Return whether a folder holds the vocabulary of a tokenizer."""
    if all((folder / name).is_file() for name in ("vocab.json", "merges.txt")):
        return True
    wanted = ("tokenizer.json", "tokenizer.model", *_RARE_VOCABULARIES, *_FALLBACK_VOCABULARIES)
    return any(path.is_file() for pattern in wanted for path in folder.glob(pattern))


def _weight_names(folder: Path, config: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the weights, chosen as transformers chooses: a name in the config, one file, an index."""
    named = config.get("transformers_weights")
    if named is not None:
        if not isinstance(named, str):
            raise CornerstoneError(f"{folder / CONFIG} has a transformers_weights that is no name of a file")
        return _shards(folder, named) if named.endswith(".index.json") else (_safe(folder, named),)
    if (folder / WEIGHTS).exists():
        return (WEIGHTS,)
    if (folder / INDEX).exists():
        return _shards(folder, INDEX)
    raise CornerstoneError(
        f"{folder} has no safetensors weights; save it again with save_pretrained (pickles are unsafe)"
    )


def _shards(folder: Path, index: str) -> tuple[str, ...]:
    path = own_file(folder, index)
    weight_map = read_json_object(path).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise CornerstoneError(f"{path} has no weight_map that says which file holds which weight")
    if not all(isinstance(name, str) for name in weight_map.values()):
        raise CornerstoneError(f"{path} has a weight_map that does not name files")
    return tuple(_safe(folder, name) for name in sorted(set(weight_map.values())))


def _safe(folder: Path, name: str) -> str:
    if not name.endswith(".safetensors"):
        raise CornerstoneError(f"{folder} names {short_repr(name)} as weights; only safetensors are loaded")
    return name


def _rare_names(folder: Path, config: Mapping[str, Any]) -> Iterator[str]:
    settings = _tokenizer_settings(folder)
    patterns = [*_RARE_VOCABULARIES, f"{_TEMPLATE_FOLDER}/*.jinja"]
    if not (folder / "tokenizer.json").exists():
        patterns += _FALLBACK_VOCABULARIES
    if "configuration_files" in config:
        patterns.append(_CONFIG_VERSIONS)
    if "fast_tokenizer_files" in settings:
        _refuse_other_tokenizers(folder, settings["fast_tokenizer_files"])
        patterns.append("tokenizer.*.json")
    for pattern in patterns:
        for path in folder.glob(pattern):
            yield path.relative_to(folder).as_posix()
    if "added_tokens_decoder" not in settings:
        yield from _old_tokens(folder, settings)


def _tokenizer_settings(folder: Path) -> dict[str, Any]:
    there = (folder / _TOKENIZER_CONFIG).exists()
    return read_json_object(own_file(folder, _TOKENIZER_CONFIG)) if there else {}


def _refuse_other_tokenizers(folder: Path, listed: object) -> None:
    """Refuse versions of tokenizer.json under other names, which transformers would load from anywhere."""
    for name in listed if isinstance(listed, list) else [listed]:
        if not isinstance(name, str) or "/" in name or not fnmatchcase(name, "tokenizer*.json"):
            raise CornerstoneError(
                f"{folder} names {short_repr(str(name))} as a version of tokenizer.json, which it is not"
            )


def _refuse_other_paths(settings: Mapping[str, Any], path: Path, found: ModelFiles) -> None:
    """Refuse settings of a tokenizer that name a file by its path, where transformers would load it from there."""
    known = {file.resolve() for file in (*found.tokenizer, *found.rare)}
    for key, value in settings.items():
        is_path = key in _PATHS or (key.endswith("_file") and key != _NEVER_OPENED)
        given = value if key == "init_inputs" and isinstance(value, list) else [value] if is_path else []
        for one in given:
            if isinstance(one, str) and (key == "gguf_file" or _is_another(one, known)):
                raise CornerstoneError(f"{path} names the file {short_repr(one)} as its {key}; delete that line")


def _is_another(name: str, known: Collection[Path]) -> bool:
    """Return whether there is a file of this name that is none of those that are known."""
    try:
        return os.path.isfile(name) and Path(name).resolve() not in known
    except ValueError:  # a name with NUL
        return False


def _old_tokens(folder: Path, settings: Mapping[str, Any]) -> Iterator[str]:
    """Yield the old files of special tokens that say more than the newer ones."""
    if (folder / _SPECIAL_TOKENS).exists() and names_more(
        read_json_object(own_file(folder, _SPECIAL_TOKENS)), settings
    ):
        yield _SPECIAL_TOKENS
    if (folder / _ADDED_TOKENS).exists():
        added = read_json_object(own_file(folder, _ADDED_TOKENS))
        try:
            tokenizer = read_json_object(folder / "tokenizer.json", MOST_VOCABULARY)
        except CornerstoneError:  # there is none, or it is too large to compare
            tokenizer = {}
        if adds_more(added, tokenizer):
            yield _ADDED_TOKENS


def own_file(folder: Path, name: str) -> Path:
    """Return a file of a folder.

    Raises:
        CornerstoneError: it is missing, no regular file or outside the folder.
    """
    pure = PurePosixPath(name)
    if pure.is_absolute() or ".." in pure.parts or "\0" in name:
        raise CornerstoneError(f"{folder} names {short_repr(name)}, which is outside the folder; copy the file into it")
    path = folder / name
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        raise CornerstoneError(f"{folder} lacks {short_repr(name)}; get a whole copy of the model") from error
    if not stat.S_ISREG(mode):
        raise CornerstoneError(f"{path} is no regular file but a folder, a pipe or a device")
    real, home = path.resolve(), folder.resolve()
    if not real.is_relative_to(home) and real.parent != _blobs(folder, home):
        raise CornerstoneError(f"{path} is a link out of its folder; copy the file into the folder")
    return path


def _blobs(folder: Path, home: Path) -> Path | None:
    """Return the folder that a snapshot of the hub cache links to; None for another folder."""
    if "snapshots" in {Path(os.path.abspath(folder)).parent.name, home.parent.name}:
        return (home.parent.parent / "blobs").resolve()
    return None
