"""Bad command lines: options out of range, names that are too long or no UTF-8, unknown commands."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

from tests.support.odd_values import big as big_number
from tests.support.odd_values import no_numbers, word

_MODEL = "smollm2-135m-instruct"


def bad_options(rng: random.Random, folder: Path) -> Iterator[tuple[str, tuple[str, ...]]]:
    store = ("--store", str(folder / "s.duckdb"))
    run = ("run", "--model", _MODEL, "--task", "agreement", *store)
    for option in [
        "--limit",
        "--seed",
        "--until-top",
        "--until-cost",
        "--num-fewshot",
        "--max-removed",
        "--permutations",
        "--tolerance",
        "--memory",
        "--confidence",
    ]:
        for name, value in rng.sample(list(no_numbers(rng)), 3):
            extra = ("--schedule", "windows") if option == "--until-top" else ()
            yield f"{option} {name}", (*run, *extra, f"{option}={value}")
    big = big_number(rng)
    yield f"permutations {big}", (*run, "--schedule", "permutation", f"--permutations={big}")
    yield "permutations of a billion", (*run, "--schedule", "permutation", "--permutations", "1000000000")
    yield "permutations just too many", (*run, "--schedule", "permutation", "--permutations", "20002")
    yield "a cost without an end", (*run, "--until-cost", rng.choice(["inf", "nan", "1e999"]))
    yield "a cost of windows", (*run, "--schedule", "windows", "--until-cost", ".05")
    yield "a top of many", (*run, "--schedule", "windows", "--until-top", str(10 ** rng.randint(3, 40)))
    yield "many shots", (*run, "--num-fewshot", str(10 ** rng.randint(5, 40)))
    yield "many blocks", (*run, "--players", f"blocks:{10 ** rng.randint(6, 40)}", "--schedule", "windows")
    yield "no blocks", (*run, "--players", "blocks:0")
    yield "exact of layers", (*run, "--players", "layers", "--schedule", "exact")
    yield "many removed sets", (*run, *(part for n in range(2000) for part in ("--remove", f"Attn {n}")))
    yield "a layer of many digits", (*run, "--remove", f"Attn {'9' * rng.randint(20, 5000)}")
    long = word(rng, rng.randint(256, 5000))
    for option in [
        "--model",
        "--task",
        "--players",
        "--value",
        "--schedule",
        "--dtype",
        "--device",
        "--order",
        "--revision",
        "--remove",
    ]:
        yield f"{option} of {len(long)} letters", ("run", "--task", "agreement", *store, option, long)
        yield f"{option} empty", ("run", "--task", "agreement", *store, option, "" if option != "--model" else "/")
    for option in ("--store", "--model", "--task", "--run", "--value", "--players", "--estimator"):
        yield f"results {option} of many letters", ("results", "shapley", option, long)
    for text in (
        "\x1b[31mred\x1b[0m",
        "../" * 50,
        "[red]x[/]",
        "%s%n",
        "💥" * 10,
        "~nobody-of-that-name/x",
        "-",
        "=",
        "a=b=c",
    ):
        yield f"task {text!a:.20}", ("run", *store, f"--task={text}")
        yield f"model {text!a:.20}", ("run", *store, "--task", "agreement", "--offline", f"--model={text}")
    latin = os.fsdecode(b"caf\xe9")
    for argv in (
        ("run", latin),
        ("run", "--task", f"agreement={latin}.jsonl"),
        ("run", "--store", latin, "--task", "agreement"),
        ("results", "runs", "--store", latin),
        ("models", latin),
        (latin,),
        ("run", "--model", latin, "--task", "agreement"),
    ):
        yield f"no UTF-8 after {argv[0]!a}", argv
    unknown = word(rng, 9)
    for argv in (
        (unknown,),
        ("results", unknown),
        ("results", "runs", f"--{unknown}"),
        ("run", f"--{unknown}"),
        ("figure", unknown, "-o", "x.svg"),
        ("figure", "ablation"),
        ("figure", "ablation", "-o", f"x.{unknown}"),
        ("tasks", unknown),
        ("tasks", "a", "b"),
        ("run", "a", "b"),
        ("run", "--limit"),
        ("paper", "--format", unknown),
        ("paper", "-o", f"x.{unknown}"),
        ("results", "runs", "-o", f"x.{unknown}"),
        ("results", "runs", "--format", unknown),
        ("--store", "x", "models"),
    ):
        yield f"{' '.join(argv)[:30]}", argv
    for value in ("nan", "inf", "-1", "2", "x", ""):
        yield f"path --keep {value}", ("path", "--task", "agreement", *store, f"--keep={value}")
    for value in ("0", "-1", "1e3", str(big), "x", ""):
        yield f"path --steps {value[:20]}", ("path", "--task", "agreement", *store, f"--steps={value}")
        yield f"results --top {value[:20]}", ("results", "estimators", f"--top={value}")
