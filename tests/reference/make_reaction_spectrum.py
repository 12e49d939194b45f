"""Write reaction_spectrum.json: eigenvalues and poles of the reaction model from 40-digit mpmath.

Run: python tests/reference/make_reaction_spectrum.py
"""

import json
from pathlib import Path

from mpmath import erfc, exp, findroot, inf, mp, mpf, mpmathify, pi, quad, sqrt

mp.dps = 40


def gaussian(s, k, variance):
    width = k * sqrt(variance)
    z = s / (sqrt(2) * width)
    return sqrt(pi / 2) / width * exp(z * z) * erfc(z)


def relation(lam, r, T1, T2, k):
    return 1 - gaussian(lam + 1 / r, k, T1) * gaussian(lam + r, k, T2)


def text(value):
    return mp.nstr(value, 25)


def real_zero(r, T1, T2, k):
    low, high = mpf(-1) * min(r, 1 / r), mpf(0)
    while relation(low, r, T1, T2, k) > 0:
        low *= 2
    return findroot(lambda x: relation(x, r, T1, T2, k), (low, high), solver="anderson")


def critical(r, T1, T2):
    edge = -min(r, 1 / r)
    return findroot(
        lambda k: relation(edge, r, T1, T2, k), (mpf("1e-3"), mpf(1000)), solver="ridder"
    )


def transformed(density, s, k):
    return quad(lambda v: density(v) / (s + 1j * k * v), [-inf, -3, -2, -1, 0, 1, 2, 3, inf])


def bumps(v):
    offset, variance = 2, mpf("0.05")

    def bump(u):
        return exp(-u * u / (2 * variance)) / sqrt(2 * pi * variance)

    return (bump(v - offset) + bump(v + offset)) / 2


def main():
    cases = [
        ("1", "0.01", "0.01", 2 * pi),
        ("2", "0.01", "0.01", 2 * pi),
        ("1", "1", "1", "0.5"),
        ("2", "1", "1", "0.7"),
        ("3", "0.2", "0.9", "0.4"),
        ("0.3", "2.5", "0.1", "0.3"),
        ("0.7", "1", "4", "0.05"),
        ("5", "1", "0.3", "1e-4"),
        ("1", "1", "1", 2 * pi),
        ("2", "1", "0.3", 2 * pi),
        ("0.2", "1.7", "0.6", "3"),
    ]
    zeros, critical_values = [], []
    for case in cases:
        r, T1, T2, k = map(mpmathify, case)
        zero = real_zero(r, T1, T2, k)
        zeros.append(
            [text(r), text(T1), text(T2), text(k), text(zero), bool(zero > -min(r, 1 / r))]
        )
        critical_values.append([text(r), text(T1), text(T2), text(critical(r, T1, T2))])
    start = mp.mpc("-9.946", "6.867")
    pole = findroot(lambda x: relation(x, mpf(2), mpf(1), mpf("0.3"), 2 * pi), start)
    mp.dps = 20
    two = findroot(
        lambda x: (
            1 - transformed(bumps, x + 1 / mpf("1.3"), 1) * gaussian(x + mpf("1.3"), 1, mpf(1))
        ),
        mp.mpc("-0.729", "1.674"),
        tol=1e-30,
    )
    data = {
        "zeros": zeros,
        "critical": critical_values,
        "pole": [text(pole.real), text(pole.imag)],
        "two_bumps": [text(two.real), text(two.imag)],
    }
    path = Path(__file__).with_suffix("").parent / "reaction_spectrum.json"
    path.write_text(json.dumps(data, indent=1) + "\n")


if __name__ == "__main__":
    main()
