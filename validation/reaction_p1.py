"""Problem P1 of the reaction model, any epsilon, against a Fourier-Hermite reference."""

import matplotlib.pyplot as plt
from table import report, save

import relaxon as rx

PUBLISHED = {1.0: 1.11005906, 0.1: 0.72417495, 0.01: 0.48839430}
LIMIT = 0.48297719


def amplitude(name, **settings):
    """2 |m_hat_1| at t = 0.02."""
    solution = rx.case(name, t_end=0.02, times=2, **settings).solve()
    return float(solution.diagnostics["amp1"][-1])


def main():
    fine = {"nodes": 40, "v_max": 7.0, "rtol": 1e-8}
    found = {e: amplitude("reaction-p1", epsilon=e, **fine) for e in PUBLISHED}
    rows = [
        (f"amplitude, epsilon = {epsilon:g}", value, found[epsilon], 5e-6)
        for epsilon, value in PUBLISHED.items()
    ]
    limit = amplitude("reaction-limit", rtol=1e-9)
    rows.append(("amplitude, limit equation", LIMIT, limit, 1e-7))
    report("reaction_p1", rows)
    figure, axes = plt.subplots(figsize=(5.6, 3.8), layout="constrained")
    axes.loglog(list(found), [x - limit for x in found.values()], "o-", label="relaxon")
    axes.loglog(
        list(PUBLISHED), [x - LIMIT for x in PUBLISHED.values()], "x", ms=9, label="reference"
    )
    axes.set_xlabel(r"$\varepsilon$")
    axes.set_ylabel("distance of the amplitude to the limit")
    axes.legend(frameon=False)
    save(figure, "reaction-p1")


if __name__ == "__main__":
    main()
