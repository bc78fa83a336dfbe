"""How often 95% intervals of phi and of shares hold the truth, in simulated games whose true values are known.

Tests hold phi to its promise in fewer games; shares, clipped and of a clipped sum, have none, so this reports them.
"""

from __future__ import annotations

from tests.support.coverage import GAMES, ORDERS, WITHOUT_ORDERS, phi_coverage, share_coverage

PHI_TRIALS, SHARE_TRIALS = 4000, 400


def main() -> None:
    print("coverage of 95% intervals of phi, by unit (documents on which it contributes)")
    for documents in (64, 128, 256):
        for name, game in GAMES.items():
            for estimator in WITHOUT_ORDERS:
                held, there = phi_coverage(game, estimator, documents, PHI_TRIALS, seed=documents)
                cells = " ".join(f"{h:.3f} ({t:3.0f})" for h, t in zip(held, there, strict=True))
                print(f"{documents:4} {name:17} {estimator.name:15} {cells}", flush=True)
    print("coverage of 95% intervals of shares, by unit (truth below the interval), and of ranks")
    for documents in (64, 256):
        for name, game in GAMES.items():
            for each in (*WITHOUT_ORDERS, None):
                found = share_coverage(game, each, documents, SHARE_TRIALS, seed=1)
                cells = " ".join(f"{h:.3f} ({a:.3f})" for h, a in zip(found.held, found.above, strict=True))
                label = each.name if each else f"permutation {ORDERS}"
                print(f"{documents:4} {name:17} {label:15} {cells}  ranks {found.ranks:.3f}", flush=True)


if __name__ == "__main__":
    main()
