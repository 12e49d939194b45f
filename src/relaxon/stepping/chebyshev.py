r"""Stabilised Runge-Kutta methods of order four with many stages, for diffusion.

The stability polynomial of s stages is

$$ R_s(z) = \frac{w(x) P_{s-4}(x)}{w(x_0) P_{s-4}(x_0)}, \qquad x = x_0 + z/c, \quad
   x_0 = 1 + 3/s^2, $$

with w of degree 4 without real roots and P the polynomials orthogonal on (-1, 1) for the weight
$w^2/\sqrt{1 - x^2}$: w P then oscillates there between nearly equal bounds. The two pairs of roots
of w and the scale c are such that $R_s(z) = e^z + O(z^5)$ and $|R_s| \le 0.95$ for x in (-1, 1),
five equations for five numbers: `POLYNOMIALS`. The interval of stability reaches to 0.35 s^2.

P is run as its three-term recurrence, s - 4 stages; then come four stages that have w as their
stability polynomial and complete the eight conditions of order four for a nonlinear equation, with
abscissas at thirds of what P leaves of the step.

Source: the construction is that of A. Abdulle, Fourth order Chebyshev methods with recurrence
relation, SIAM J. Sci. Comput. 23 (2002) 2041-2054 (ROCK4). The numbers are computed, not taken from
there.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

DAMPING = 3.0
"""(x_0 - 1) s^2."""

ESTIMATE = 1 / 120
"""The error estimate of a step of y' = y, over h^4."""

POLYNOMIALS = (
    # s, then the roots of w in z (real and imaginary part, twice), c/s^2
    (5, -0.2219340825410, 2.8562317992372, -2.0113578834594, 1.0868819455815, 0.1129281468764),
    (6, -0.2196998824249, 3.0624004086184, -2.1604534496031, 1.1683934357733, 0.1309454488521),
    (7, -0.2284578353430, 3.1935207762485, -2.2500818275521, 1.2121443311684, 0.1420696807946),
    (8, -0.2389179297373, 3.2819985069203, -2.3087574224669, 1.2390482053735, 0.1493571388084),
    (9, -0.2486890349552, 3.3437232737543, -2.3488611051501, 1.2565674468610, 0.1544915022336),
    (10, -0.2570794771423, 3.3883699222243, -2.3774970215229, 1.2686642902905, 0.1582331141792),
    (11, -0.2640808882873, 3.4216530716575, -2.3986641370879, 1.2773918613821, 0.1610384950660),
    (12, -0.2698493238543, 3.4472890595042, -2.4149039337397, 1.2840077726826, 0.1631658379938),
    (13, -0.2745819438000, 3.4676998977215, -2.4278395827035, 1.2892831833314, 0.1647803843778),
    (14, -0.2785274963105, 3.4839625027514, -2.4381148253292, 1.2934286951449, 0.1660689511350),
    (16, -0.2846281792553, 3.5079251101345, -2.4532083396523, 1.2994468116916, 0.1679712415725),
    (18, -0.2890305622525, 3.5244243373670, -2.4635710041578, 1.3035300280056, 0.1692836375150),
    (20, -0.2922915810459, 3.5362605130345, -2.4709911982481, 1.3064297406947, 0.1702264657439),
    (22, -0.2947654041603, 3.5450360683763, -2.4764857339202, 1.3085640717716, 0.1709262379495),
    (25, -0.2974815365818, 3.5544804352169, -2.4823928107977, 1.3108465139536, 0.1716800614818),
    (28, -0.2994085462258, 3.5610654067230, -2.4865078324164, 1.3124291221003, 0.1722061042604),
    (32, -0.3012103691705, 3.5671393708704, -2.4903010130545, 1.3138825916079, 0.1726916562531),
    (36, -0.3024604744494, 3.5713076820188, -2.4929027792153, 1.3148765708946, 0.1730250564533),
    (41, -0.3035480615354, 3.5749043380543, -2.4951468858929, 1.3157319770918, 0.1733128557955),
    (47, -0.3044296920677, 3.5777999643959, -2.4969530368391, 1.3164191460724, 0.1735446428753),
    (54, -0.3051142399281, 3.5800361781915, -2.4983475481805, 1.3169489119151, 0.1737236967993),
    (62, -0.3056329083557, 3.5817235479846, -2.4993996114013, 1.3173481285819, 0.1738588342887),
    (71, -0.3060212056960, 3.5829828909449, -2.5001846996173, 1.3176457837983, 0.1739597087454),
    (82, -0.3063341247092, 3.5839953545206, -2.5008158172139, 1.3178849053458, 0.1740408182861),
    (94, -0.3065585954007, 3.5847203222628, -2.5012676903595, 1.3180560273135, 0.1740989018987),
    (108, -0.3067321189057, 3.5852799959897, -2.5016165160850, 1.3181880764840, 0.1741437455796),
    (124, -0.3068631525018, 3.5857021922753, -2.5018796455847, 1.3182876566504, 0.1741775757950),
    (142, -0.3069610028677, 3.5860172283959, -2.5020759823711, 1.3183619435077, 0.1742028204103),
    (164, -0.3070397052051, 3.5862704660527, -2.5022338012681, 1.3184216467098, 0.1742231136140),
    (188, -0.3070960783295, 3.5864517736966, -2.5023467909370, 1.3184643855312, 0.1742376430613),
    (216, -0.3071396090379, 3.5865917306214, -2.5024340099239, 1.3184973734045, 0.1742488589902),
)
"""Found by Newton's method on `polynomial_defects`, each from the one before."""


class Methods(NamedTuple):
    """The methods of increasing numbers of stages, one a row.

    Attributes:
        stages: s, integers.
        reach: How far the interval of stability goes along the negative axis.
        rate, value: Coefficients of the recurrence,
            `g_{j+1} = rate_j h F(g_j) + value_j g_j + (1 - value_j) g_{j-1}`, padded with zeros.
        finish: `(5, 4)`, the four last stages and, in its last row, the result:
            `y_i = g + h sum_j finish_ij F(y_j)`.
        estimate: `(5,)`, the error is `h sum_i estimate_i F(y_i)` with the result as `y_4`.
    """

    stages: np.ndarray
    reach: np.ndarray
    rate: np.ndarray
    value: np.ndarray
    finish: np.ndarray
    estimate: np.ndarray


@functools.cache
def methods(max_stages: int) -> Methods:
    """All methods of at most so many stages (at least 5), built in a few milliseconds each."""
    rows = [row for row in POLYNOMIALS if row[0] <= max_stages]
    longest = rows[-1][0] - 4
    built, guess = [], None
    for s, *numbers in rows:
        rate, value, reach = recurrence(s, np.asarray(numbers))
        begin = order_weights(rate, value)
        guess = _finishing(begin, guess)
        pad = (0, longest - len(rate))
        estimate = _estimate(begin, guess)
        built.append((s, reach, np.pad(rate, pad), np.pad(value, pad), _table(guess), estimate))
    return Methods(*(np.stack(column) for column in zip(*built)))


def recurrence(s: int, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Coefficients of P's recurrence, normalised to 1 at x_0, and the reach of the method."""
    x0, scale = 1 + DAMPING / s**2, numbers[4] * s**2
    shift, norm, _ = _orthogonal(s, numbers)
    values = [1.0]
    for j in range(s - 4):
        before = values[j - 1] if j else 0.0
        values.append((x0 - shift[j]) * values[j] - norm[j] * before)
    ratio = np.array(values[:-1]) / values[1:]
    return ratio / scale, (x0 - shift) * ratio, scale * (1 + x0)


def _orthogonal(s: int, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """P_{j+1} = (x - shift_j) P_j - norm_j P_{j-1} by Stieltjes' procedure; the maximum of |w P|.

    The nodes are those of the Lobatto rule for 1/sqrt(1 - x^2), more than the degrees that occur
    need: between them the maximum does not hide, and the ends are among them.
    """
    x0, scale = 1 + DAMPING / s**2, numbers[4] * s**2
    x = np.cos(np.pi * np.arange(8 * s + 1) / (8 * s))
    ends = np.ones_like(x)
    ends[[0, -1]] = 0.5
    w = np.ones_like(x)
    for real, imaginary in numbers[:4].reshape(2, 2) / scale:
        w = w * ((x - x0 - real) ** 2 + imaginary**2)
    before, now, square = np.zeros_like(x), w, 1.0
    shift, norm = np.zeros(s - 4), np.zeros(s - 4)
    for j in range(s - 4):
        new = np.sum(ends * now**2)
        shift[j], norm[j] = np.sum(ends * x * now**2) / new, new / square if j else 0.0
        before, now, square = now, (x - shift[j]) * now - norm[j] * before, new
    return shift, norm, float(np.max(np.abs(now)))


def polynomial_defects(s: int, numbers: np.ndarray) -> np.ndarray:
    """What the five equations for (roots of w, c/s^2) miss: orders 1 to 4, and |R| <= 0.95.

    The maximum is over the nodes; between them it is 0.956 at most.
    """
    x0, scale = 1 + DAMPING / s**2, numbers[4] * s**2
    shift, norm, largest = _orthogonal(s, numbers)

    def times(p: np.ndarray, q: list[float]) -> np.ndarray:
        return np.convolve(p, q)[:5]

    # Taylor coefficients of P and then of w P at x_0.
    before, now = np.zeros(5), np.eye(5)[0]
    for a, b in zip(shift, norm):
        before, now = now, times(now, [x0 - a, 1.0]) - b * before
    for real, imaginary in numbers[:4].reshape(2, 2) / scale:
        now = times(now, [real**2 + imaginary**2, -2 * real, 1.0])
    factorials = np.array([1.0, 2.0, 6.0, 24.0])
    orders = now[1:] / now[0] / scale ** np.arange(1, 5) * factorials - 1
    return np.append(orders, largest / np.abs(now[0]) / 0.95 - 1)


GOAL = 1 / np.array([1.0, 2.0, 3.0, 6.0, 4.0, 8.0, 12.0, 24.0])
"""The eight conditions of order four: c, Ac, Ac^2, AAc, Ac^3, A(c Ac), A(Ac^2), AAAc of a step."""


def _forces(weights: np.ndarray) -> np.ndarray:
    """What a stage with these weights contributes to those of later stages."""
    c, ac, acc, aac = weights[:4]
    return np.array([np.ones_like(c), c, c**2, ac, c**3, c * ac, acc, aac])


def order_weights(rate: np.ndarray, value: np.ndarray) -> np.ndarray:
    """The eight weights of `GOAL` at the end of the recurrence."""
    before, now = np.zeros(8), np.zeros(8)
    for a, b in zip(rate, value):
        before, now = now, a * _forces(now) + b * now + (1 - b) * before
    return now


def _table(numbers: np.ndarray) -> np.ndarray:
    table = np.zeros((5, 4), numbers.dtype)
    table[np.tril_indices(5, -1, 4)] = numbers
    return table


def _stages(begin: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """The weights of the last five points, (5, 8)."""
    table, points = _table(numbers), [begin.astype(numbers.dtype)]
    for i in range(1, 5):
        forces = [table[i, j] * _forces(points[j]) for j in range(i)]
        points.append(begin + np.sum(forces, axis=0))
    return np.stack(points)


def _finishing(begin: np.ndarray, guess: np.ndarray | None) -> np.ndarray:
    """The ten coefficients of the last four stages: order four, abscissas at thirds of the rest."""
    rest = 1 - begin[0]
    if guess is None:
        guess = np.array([1 / 3, -1 / 3, 1, 1, -1, 1, 1 / 8, 3 / 8, 3 / 8, 1 / 8]) * rest

    def missing(numbers: np.ndarray) -> np.ndarray:
        points = _stages(begin, numbers)
        thirds = points[1:3, 0] - begin[0] - rest * np.array([1 / 3, 2 / 3])
        return np.concatenate([points[4] - GOAL, thirds])

    for _ in range(20):
        # Derivatives by complex steps: exact to rounding.
        slopes = [missing(guess + 1e-30j * unit).imag / 1e-30 for unit in np.eye(10)]
        step = np.linalg.solve(np.stack(slopes, axis=1), missing(guess))
        guess = guess - step
        if np.max(np.abs(step)) < 1e-14:
            break
    return guess


def _estimate(begin: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """The one combination of the last five rates, to a factor, that vanishes to order three."""
    points = _stages(begin, numbers)
    forces = np.stack([_forces(point)[:4] for point in points], axis=1)
    found = np.linalg.svd(forces)[2][-1]
    # The factor: the estimate of y' = y is ESTIMATE h^4.
    fourth = sum(weight * point[3] for weight, point in zip(found, points))
    return ESTIMATE / fourth * found
