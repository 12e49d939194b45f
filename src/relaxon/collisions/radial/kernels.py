"""Kernels of the antisymmetric form, fixed or following the distribution."""

from __future__ import annotations

import abc

import equinox as eqx
import jax.numpy as jnp
from jax import Array


class Kernel(eqx.Module):
    """A symmetric kernel kappa(r_i, r_j) >= 0 between interior faces."""

    @abc.abstractmethod
    def sum(self, weighted: Array) -> Array:
        """sum_j kappa(r_i, r_j) weighted_j over the last axis, the n - 1 interior faces."""


class MinKernel(Kernel):
    """kappa(r, s) = a(min(r, s)) with an increasing a, summed in O(n)."""

    a: Array

    def sum(self, weighted: Array) -> Array:
        """By cumulative sums from both ends; several at once compile faster than one by one."""
        # (2, ..., n - 1): a w from the inside, w from the outside. The pair j = i is in both sums.
        ends = jnp.stack([self.a * weighted, weighted[..., ::-1]])
        inner, outer = jnp.cumsum(ends, axis=-1)
        return inner + self.a * (outer[..., ::-1] - weighted)


class StripKernel(Kernel):
    """kappa = sum_c A_c B_ci B_cj, summed in O(strips n)."""

    amount: Array
    spread: Array

    def sum(self, weighted: Array) -> Array:
        """Gather on the strips, weigh, scatter back."""
        return ((weighted @ self.spread.T) * self.amount) @ self.spread


class KernelModel(eqx.Module):
    r"""How the kernel follows from the distribution.

    A kernel that depends on F is a superposition
    $ \kappa_{ij} = \sum_c A_c[F] B_{ci} B_{cj} $ over strips c of the line u = n.v.
    """

    @property
    @abc.abstractmethod
    def fixed(self) -> bool:
        """True if the kernel does not depend on the distribution."""

    @abc.abstractmethod
    def kernel(self, log_f: Array) -> Kernel:
        """The kernel at the distribution exp(log_f), shape (n,)."""

    @abc.abstractmethod
    def monitor(self, log_f: Array) -> dict[str, Array]:
        """Scalars to watch along a run, by name."""

    @abc.abstractmethod
    def stable(self, log_f: Array) -> Array:
        """False if the kernel is not defined at this distribution (Penrose-unstable)."""

    @abc.abstractmethod
    def moved(self, log_f: Array) -> tuple[Kernel, Array, Array]:
        """The kernel, dA/d log_f of shape (strips, n), and B of shape (strips, n - 1)."""


class FixedKernel(KernelModel):
    """One kernel for every distribution: Landau."""

    value: Kernel

    @property
    def fixed(self) -> bool:
        """True."""
        return True

    def kernel(self, log_f: Array) -> Kernel:
        """The same for all."""
        return self.value

    def monitor(self, log_f: Array) -> dict[str, Array]:
        """Nothing."""
        return {}

    def stable(self, log_f: Array) -> Array:
        """Always."""
        return jnp.asarray(True)

    def moved(self, log_f: Array) -> tuple[Kernel, Array, Array]:
        """No strips: the kernel does not move."""
        n = log_f.shape[0]
        return self.value, jnp.zeros((0, n)), jnp.zeros((0, n - 1))
