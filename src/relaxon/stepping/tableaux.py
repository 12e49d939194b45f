r"""Rosenbrock methods as data: coefficients, order, reference.

In the transformed variables one step of size h of dy/dt = f(t, y), with J = df/dy, is

$$ \Big(\frac{1}{\gamma h} - J\Big) k_i = f\Big(t + \alpha_i h, y + \sum_j a_{ij} k_j\Big)
   + \frac1h \sum_j c_{ij} k_j + d_i h \, \partial_t f . $$

All methods here are stiffly accurate: the new value is the argument of f in the last stage plus the
last k, and that last k is the estimate of the error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jax import Array

Rows = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Tableau:
    """The coefficients of one method; row i of `a` and `c` has i entries.

    Attributes:
        name: What the literature calls it.
        order: Order of the method, and power of h in its error estimate.
        gamma: The one diagonal coefficient.
        a: Weights of earlier stages in the argument of f.
        c: Weights of earlier stages beside f.
        nodes: Where in the step f is evaluated, alpha.
        drift: Weights d of the time derivative of f.
        reference: Where the coefficients are from.
    """

    name: str
    order: int
    gamma: float
    a: Rows
    c: Rows
    nodes: tuple[float, ...]
    drift: tuple[float, ...]
    reference: str

    @property
    def stages(self) -> int:
        """Number of stages."""
        return len(self.nodes)

    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """a and c as square matrices, nodes, drift: for a loop over the stages."""
        square = [
            np.array([(*row, *(0.0,) * (self.stages - len(row))) for row in rows])
            for rows in (self.a, self.c)
        ]
        return square[0], square[1], np.array(self.nodes), np.array(self.drift)

    def value(self, y: Array, stages: Sequence[Array]) -> Array:
        """The argument of f in the stage after the given ones; y itself where that is meant."""
        return sum((a * k for a, k in zip(self.a[len(stages)], stages) if a), y)

    def push(self, stages: Sequence[Array]) -> Array | float:
        """What earlier stages add beside f, times h."""
        return sum(c * k for c, k in zip(self.c[len(stages)], stages) if c)


_ROW = (
    -7.502846399306121,
    2.561846144803919,
    -11.627539656261098,
    -0.18268767659942256,
    0.030198172008377946,
)
_A = (
    (),
    (3.0,),
    (2.849394379747939, 0.45842242204463923),
    (-6.954028509809101, 2.489845061869568, -10.358996098473584),
    (2.8029986275628964, 0.5072464736228206, -0.3988312541770524, -0.04721187230404641),
    _ROW,
    (*_ROW, 1.0),
    (*_ROW, 1.0, 1.0),
)
_C = (
    (),
    (-14.155112264123755,),
    (-17.97296035885952, -2.859693295451294),
    (147.12150275711716, -1.41221402718213, 71.68940251302358),
    (165.43517024871676, -0.4592823456491126, 42.90938336958603, -5.961986721573306),
    (
        24.854864614690072,
        -3.0009227002832186,
        47.4931110020768,
        5.5814197821558125,
        -0.6610691825249471,
    ),
    (
        30.91273214028599,
        -3.1208243349937974,
        77.79954646070892,
        34.28646028294783,
        -19.097331116725623,
        -28.087943162872662,
    ),
    (
        37.80277123390563,
        -3.2571969029072276,
        112.26918849496327,
        66.9347231244047,
        -40.06618937091002,
        -54.66780262877968,
        -9.48861652309627,
    ),
)

RODAS5P = Tableau(
    name="Rodas5P",
    order=5,
    gamma=0.21193756319429014,
    a=_A,
    c=_C,
    nodes=(
        0.0,
        0.6358126895828704,
        0.4095798393397535,
        0.9769306725060716,
        0.4288403609558664,
        1.0,
        1.0,
        1.0,
    ),
    drift=(
        0.21193756319429014,
        -0.42387512638858027,
        -0.3384627126235924,
        1.8046452872882734,
        2.325825639765069,
        0.0,
        0.0,
        0.0,
    ),
    reference="G. Steinebach, Construction of Rosenbrock-Wanner method Rodas5P and numerical "
    "benchmarks within the Julia Differential Equations package, BIT 63 (2023), 27.",
)

RODAS3 = Tableau(
    name="RODAS3",
    order=3,
    gamma=0.5,
    a=((), (0.0,), (2.0, 0.0), (2.0, 0.0, 1.0)),
    c=((), (4.0,), (1.0, -1.0), (1.0, -1.0, -8.0 / 3.0)),
    nodes=(0.0, 0.0, 1.0, 1.0),
    drift=(0.5, 1.5, 0.0, 0.0),
    reference="A. Sandu, J. G. Verwer, J. G. Blom, E. J. Spee, G. R. Carmichael, F. A. Potra, "
    "Benchmarking stiff ODE solvers for atmospheric chemistry problems II: Rosenbrock solvers, "
    "Atmos. Environ. 31 (1997), 3459-3472.",
)
