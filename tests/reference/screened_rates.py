"""Makes screened_rates.json: d/dt int v1^2 f of Lenard-Balescu at an anisotropic Gaussian.

f = N(0, S), unit Gaussian potential. On a line, F1 is a Gaussian of variance s2 = n.S n, and
the plane integrals of v1 f and v1 n.grad f are known, so that

    d/dt int v1^2 f = -2 C int dn n1 (c - n1) int K F1^2 du,    c = (S n)_1 / s2,
    K F1^2 = Im G(z) s2 F1 / (pi u)

with z of the Gaussian line from the plasma dispersion function and G from mpmath's polylogarithm
(no grid, no FFT). The entropy production is half of sum_i rate_i / S_i.
"""

import json
import pathlib

import mpmath as mp
import numpy as np

mp.mp.dps = 20


def line_integral(d, s2):
    c = mp.power(2 * mp.pi, mp.mpf(d) / 2)
    s = mp.mpf(d + 1) / 2
    front = mp.power(2, mp.mpf(d - 1) / 2) * mp.gamma(s)

    def z(u):
        x = u / mp.sqrt(2 * s2)
        dawson = mp.sqrt(mp.pi) / 2 * mp.exp(-x * x) * mp.erfi(x)
        value = mp.exp(-x * x) / mp.sqrt(2 * mp.pi * s2)
        return mp.mpc((1 - 2 * x * dawson) / s2, -mp.pi * u * value / s2), value

    def integrand(u):
        zu, value = z(u)
        g = -front * mp.polylog(s, -c * zu) / zu
        return mp.im(g) * s2 * value / (mp.pi * u)

    scale = float(mp.sqrt(s2))
    edge = mp.findroot(lambda u: 1 + c * mp.re(z(u)[0]), 4.1 * scale)
    width = abs(mp.im(z(edge)[0]) / mp.diff(lambda u: mp.re(z(u)[0]), edge))
    cuts = [mp.mpf("1e-12"), scale, 2 * scale, 3 * scale, edge - 20 * width, edge - 3 * width]
    cuts += [edge, edge + 3 * width, edge + 20 * width, edge + 2 * scale, edge + 6 * scale]
    cuts = sorted({float(x) for x in cuts if x > 0})
    return 2 * mp.quad(integrand, cuts, maxdegree=5)


def rate(covariance, points):
    d = len(covariance)
    x, w = np.polynomial.legendre.leggauss(points)
    total = mp.mpf(0)
    factor = mp.pi * mp.power(2 * mp.pi, -d)
    for node, weight in zip(x, w):
        if d == 2:
            angle = np.pi / 4 * (1 + node)
            n1, share = np.cos(angle), 4 * np.pi / 4 * weight
        else:
            n1, share = (1 + node) / 2, 2 * 2 * np.pi * weight / 2
        s2 = n1**2 * covariance[0] + (1 - n1**2) * covariance[1]
        c = covariance[0] * n1 / s2
        total += share * n1 * (c - n1) * line_integral(d, mp.mpf(s2))
    return float(-2 * factor * total)


if __name__ == "__main__":
    cases = []
    for covariance in ([0.8, 0.3], [0.6, 0.4], [0.8, 0.3, 0.3]):
        coarse, fine = rate(covariance, 10), rate(covariance, 14)
        print(covariance, coarse, fine)
        cases.append({"covariance": covariance, "rate": fine, "error": abs(fine - coarse)})
    path = pathlib.Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(cases, indent=1) + "\n")
