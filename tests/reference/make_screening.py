"""K(z) to 50 digits by mpmath: closed forms with extended precision, written to screening.json.

Run from the repository root: python tests/reference/make_screening.py
"""

import json
from pathlib import Path

import mpmath as mp

mp.mp.dps = 60
CASES = [
    {"kind": "Gaussian", "d": 2, "args": [1.0, 1.0]},
    {"kind": "Gaussian", "d": 2, "args": [0.3, 2.5]},
    {"kind": "Gaussian", "d": 3, "args": [1.0, 1.0]},
    {"kind": "Gaussian", "d": 3, "args": [7.0, 0.1]},
    {"kind": "Coulomb", "d": 2, "args": [10.0, 1.3, 0.0]},
    {"kind": "Coulomb", "d": 2, "args": [5.0, 1.3, 0.7]},
    {"kind": "Coulomb", "d": 3, "args": [10.0, 1.3, 0.0]},
    {"kind": "Coulomb", "d": 3, "args": [5.0, 1.3, 0.7]},
    {"kind": "Yukawa", "d": 2, "args": [0.8, 1.7]},
    {"kind": "Yukawa", "d": 2, "args": [0.8, 1.7, 20.0]},
    {"kind": "Yukawa", "d": 3, "args": [0.8, 1.7, 20.0]},
]


def gaussian(d, amplitude, length, x, y):
    order, a, l = mp.mpf(d + 1) / 2, mp.mpf(amplitude), mp.mpf(length)
    c = a * (2 * mp.pi * l * l) ** (mp.mpf(d) / 2)
    factor = 2 ** (mp.mpf(d - 1) / 2) * mp.gamma(order) / l ** (d + 1)
    resonant = x < -1 / c
    if not resonant and abs(y) < mp.mpf(10) ** -25 * abs(x + 1 / c):
        w = -c * x
        if abs(w) < mp.mpf(10) ** -8:
            slope = sum(n * w ** (n - 1) / mp.mpf(n + 1) ** order for n in range(1, 9))
        else:
            slope = mp.re(mp.polylog(order - 1, w) - mp.polylog(order, w)) / w**2
        return factor * c * c * slope
    if resonant and abs(y) < mp.mpf(10) ** -40 * abs(x):
        k = mp.sqrt(2 * mp.log(-c * x)) / l
        return mp.pi * k ** (d - 1) / l**2 / abs(x) / abs(y)
    w = -c * mp.mpc(x, y)
    if abs(w) < mp.mpf(10) ** -8:
        ratio = sum(w ** (n - 1) / mp.mpf(n) ** order for n in range(1, 10))
    else:
        ratio = mp.polylog(order, w) / w
    return -(factor * c * ratio).imag / y


def rational(d, strength, mass, low, high, x, y):
    with mp.workdps(400):
        y = y if y else mp.mpf(10) ** -350
        zeta = strength * mp.mpc(x, y) + mass
        if d == 3:
            g = -zeta * mp.log((high**2 + zeta) / (low**2 + zeta)) / 2
        else:
            root = mp.sqrt(zeta)
            upper = mp.pi / 2 if mp.isinf(high) else mp.atan(high / root)
            g = -root * (upper - (mp.atan(low / root) if low else 0))
        return -strength * g.imag / y


def points(scale, resonant_edge):
    out = []
    for n in range(-12, 7, 2):
        for angle in (0.0, 0.7, 2.0, 3.0, -1.2):
            z = mp.mpf(10) ** n * mp.expj(angle)
            out.append((float(z.real), float(z.imag)))
    for f in (0.5, 0.99, 1 - 1e-6, 1 + 1e-6, 1.3, 7.1, 300.0, 1e6):
        for y in (1e-1, 1e-4, 1e-9, 1e-16, -1e-60, 1e-200, 3e-295, -1e-300):
            out.append((scale * f, y))
        if f < 1 and resonant_edge:
            out.append((scale * f, 0.0))
    return out


def main():
    table = []
    for case in CASES:
        d, args = case["d"], case["args"]
        if case["kind"] == "Gaussian":
            scale = float(-1 / (args[0] * (2 * mp.pi * args[1] ** 2) ** (mp.mpf(d) / 2)))
            edge = True
        else:
            coulomb = case["kind"] == "Coulomb"
            strength = (
                mp.mpf(args[1]) if coulomb else (2 if d == 2 else 4) * mp.pi * mp.mpf(args[0])
            )
            mass = mp.mpf(0) if coulomb else 1 / mp.mpf(args[1]) ** 2
            high = mp.mpf(args[0]) if coulomb else (mp.mpf(args[2]) if len(args) > 2 else mp.inf)
            low = mp.mpf(args[2]) if coulomb else mp.mpf(0)
            edge = bool(low**2 + mass)
            scale = float(-(low**2 + mass) / strength) if edge else -1.0
        rows = []
        for x, y in points(scale, edge):
            if not edge and y == 0 and x <= 0:
                continue
            if case["kind"] == "Gaussian":
                value = gaussian(d, *args, mp.mpf(x), mp.mpf(y))
            else:
                value = rational(d, strength, mass, low, high, mp.mpf(x), mp.mpf(y))
            rows.append([x, y, mp.nstr(value, 20)])
        table.append({**case, "edge": scale, "rows": rows})
    path = Path(__file__).with_name("screening.json")
    path.write_text(json.dumps(table, indent=0).replace(",\n", ",") + "\n")


if __name__ == "__main__":
    main()
