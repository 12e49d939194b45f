"""The linear reaction model: eigenvalues, critical wave numbers, hypocoercive rates.

Published: roots of the dispersion relation with 50 digits; rates as optimised in closed form.
"""

import math

from table import report

import relaxon as rx

TWO_PI = 2 * math.pi


def main():
    rows = [
        (f"eigenvalue, r = {r:g}, T = {T:g}, k = {label}", value, gap(r, T, k), 1e-12)
        for r, T, k, label, value in (
            (1.0, 0.01, TWO_PI, "2 pi", -0.3198846627556),
            (2.0, 0.01, TWO_PI, "2 pi", -0.4117584054993),
            (1.0, 1.0, 0.5, "0.5", -0.21407115581145),
        )
    ]
    assert rx.reaction.spectral_gap(1.0, 1.0, 1.0, TWO_PI).eigenvalue is None
    for r, value in ((1.0, math.sqrt(math.pi / 2)), (2.0, 0.712978730869)):
        found = rx.reaction.critical_wavenumber(r, 1.0, 1.0)
        rows.append((f"K_c, r = {r:g}", value, found, 1e-11))
    for r, dms, h1, true in ((1.0, 0.1820, 0.0308, 1.0), (2.0, 0.0962, 0.0035, 0.5)):
        rates = rx.reaction.hypocoercive_rates(r, 1.0, 1.0)
        rows.append((f"rate of the modified entropy, r = {r:g}", dms, rates.dms, 1e-4))
        rows.append((f"rate in H1, r = {r:g}", h1, rates.h1, 5e-5))
        rows.append((f"true rate, r = {r:g}", true, rates.true, 1e-12))
    report("reaction_spectrum", rows)


def gap(r, T, k):
    """The rightmost eigenvalue."""
    return rx.reaction.spectral_gap(r, T, T, k).eigenvalue


if __name__ == "__main__":
    main()
