"""Writes linearized.json: eigenvalues of A(v) and Dirichlet forms by nested mpmath quadrature.

Independent of the package: K is integrated over the wavenumber, the resonance found by splitting
the interval at Re eps = 0, the plane averages taken in closed form for |v|^4.
"""

import json
from pathlib import Path

import mpmath as mp

mp.mp.dps = 20


def z(u, beta):
    s = mp.sqrt(beta) * u
    dawson = mp.sqrt(mp.pi) / 2 * mp.exp(-(s**2)) * mp.erfi(s)
    imaginary = -2 * mp.sqrt(mp.pi) * beta * s * mp.exp(-(s**2))
    return mp.mpc(2 * beta * (1 - 2 * s * dawson), imaginary)


def screening(d, vhat, inverse, k_max, u, beta):
    zz = z(u, beta)
    points = [mp.mpf(0), k_max / 16, k_max / 4, k_max]
    if zz.real < 0:
        k = inverse(-1 / zz.real)
        if k is not None and 0 < k < k_max:
            width = abs(zz.imag / zz.real) * 0.5 * max(k, 1)
            near = [k + side * width * 4**j for side in (-1, 1) for j in range(40)]
            points += [k] + [x for x in near if 0 < x < k_max]
    return mp.quad(lambda k: k**d * vhat(k) ** 2 / abs(1 + vhat(k) * zz) ** 2, sorted(points))


def eigenvalues(d, case, v, beta):
    weight = mp.pi * (2 * mp.pi) ** (-d)

    def density(u):
        return weight * screening(d, *case, u, beta) * mp.sqrt(beta / mp.pi) * mp.exp(-beta * u**2)

    parts = mp.linspace(0, 1, 4)
    if d == 3:
        along = 4 * mp.pi * mp.quad(lambda c: c**2 * density(v * c), parts)
        across = 2 * mp.pi * mp.quad(lambda c: (1 - c**2) * density(v * c), parts)
    else:
        angles = [mp.pi / 2 * p for p in parts]
        along = 4 * mp.quad(lambda a: mp.sin(a) ** 2 * density(v * mp.sin(a)), angles)
        across = 4 * mp.quad(lambda a: mp.cos(a) ** 2 * density(v * mp.sin(a)), angles)
    return [float(along), float(across)]


def gaussian(d, amplitude):
    c = amplitude * (2 * mp.pi) ** (mp.mpf(d) / 2)

    def inverse(value):
        return mp.sqrt(2 * mp.log(c / value)) if value < c else None

    return (lambda k: c * mp.exp(-(k**2) / 2)), inverse, mp.mpf(9)


def coulomb(k_max):
    return (lambda k: 1 / k**2), (lambda value: 1 / mp.sqrt(value)), mp.mpf(k_max)


if __name__ == "__main__":
    rows = [
        ["gaussian", 3, 0.05, 1.5, 1.0],
        ["gaussian", 2, 0.2, 1.0, 2.0],
        ["coulomb", 3, 10, 0.9, 1.0],
        ["coulomb", 2, 5, 0.8, 1.0],
    ]
    out = []
    for name, d, parameter, v, beta in rows:
        case = gaussian(d, parameter) if name == "gaussian" else coulomb(parameter)
        out.append([name, d, parameter, v, beta, eigenvalues(d, case, mp.mpf(v), mp.mpf(beta))])
        print(out[-1], flush=True)
    Path(__file__).with_suffix(".json").write_text(json.dumps(out, indent=1) + "\n")
