"""Velocities over blocks of memory and over devices: one loop, one exchange."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from relaxon.core.errors import require

AXIS = "velocity"

LARGE = 2**20
"""Below this many values a field is not worth splitting: the exchange costs more than it saves."""

BLOCK = 2**17
"""Values a block that should stay in the cache of a core: one megabyte."""


def cores() -> int:
    """Cores that this process may use (where the system does not say: all)."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def use_cores(count: int | None = None) -> None:
    """Make every processor core a device of jax, so that large problems are split over them.

    Must come before the first computation; later it changes nothing. The command line does this.

    Args:
        count: Number of devices. Default: the cores this process may use.
    """
    with contextlib.suppress(RuntimeError):
        jax.config.update("jax_num_cpu_devices", count or cores())


class Velocities(eqx.Module):
    """How the leading axis (velocities) of large arrays is worked through.

    Velocities meet in sums and maxima only. Each device holds a slice of the axis, walks through
    it in blocks that fit its cache, and adds up; then there is one exchange over the devices.

    Attributes:
        devices: Devices that share the axis, a mesh of one axis; None for one device.
        block: Velocities in a block.
    """

    devices: Mesh | None = eqx.field(static=True)
    block: int = eqx.field(static=True)

    def place(self, field: jax.Array) -> jax.Array:
        """The field with its leading axis spread over the devices."""
        if self.devices is None:
            return field
        return jax.device_put(field, NamedSharding(self.devices, PartitionSpec(AXIS)))

    def sweep(self, kernel: Callable[..., tuple[Any, Any, Any]], fields: tuple, shared: Any) -> Any:
        """Call `kernel(slices, shared)` on all blocks of `fields`.

        Args:
            kernel: Returns three trees: arrays with the leading axis of its slices, arrays to be
                added over velocities, and arrays of which the maximum over velocities is taken.
            fields: Arrays (or trees of them) with the velocities as leading axis.
            shared: A tree of arrays that every velocity sees whole.

        Returns:
            The three trees for the whole axis.
        """
        if self.devices is None:
            return self._walk(kernel, fields, shared)

        def local(fields: tuple, shared: Any) -> Any:
            new, sums, tops = self._walk(kernel, fields, shared)
            return new, lax.psum(sums, AXIS), lax.pmax(tops, AXIS)

        split, whole = PartitionSpec(AXIS), PartitionSpec()
        return jax.shard_map(
            local,
            mesh=self.devices,
            in_specs=(split, whole),
            out_specs=(split, whole, whole),
            check_vma=False,
        )(fields, shared)

    def _walk(self, kernel: Callable[..., Any], fields: tuple, shared: Any) -> Any:
        size = jax.tree.leaves(fields)[0].shape[0]
        if size <= self.block:
            return kernel(fields, shared)
        blocks = size // self.block
        cut = jax.tree.map(lambda a: a.reshape(blocks, self.block, *a.shape[1:]), fields)
        shapes = jax.eval_shape(kernel, jax.tree.map(lambda a: a[0], cut), shared)
        # Sums start at 0 and maxima at -inf, in the shapes that the kernel will return.
        start = (
            jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), shapes[1]),
            jax.tree.map(lambda s: jnp.full(s.shape, -jnp.inf, s.dtype), shapes[2]),
        )

        def add(carry, slices):
            new, sums, tops = kernel(slices, shared)
            sums = jax.tree.map(jnp.add, carry[0], sums)
            return (sums, jax.tree.map(jnp.maximum, carry[1], tops)), new

        (sums, tops), new = lax.scan(add, start, cut)
        return jax.tree.map(lambda a: a.reshape(size, *a.shape[2:]), new), sums, tops


def velocities(size: int, points: int, devices: int | None = None) -> Velocities:
    """Split `size` velocities with `points` positions each.

    Args:
        size: Number of velocities.
        points: Number of positions.
        devices: How many devices share them; `size` must be a multiple. Default: one for small
            problems, otherwise the largest number of those jax has that divides `size`.

    Raises:
        InputError: There are not so many devices, or they do not divide the velocities.
    """
    have = jax.devices()
    if devices is None:
        small = size * points < LARGE
        devices = 1 if small else max(k for k in range(1, len(have) + 1) if size % k == 0)
    require(
        1 <= devices <= len(have) and size % devices == 0,
        f"devices must divide the {size} velocities and be at most {len(have)}, but is {devices}.",
    )
    mesh = None
    if devices > 1:
        mesh = Mesh(np.array(have[:devices]), (AXIS,), axis_types=(AxisType.Auto,))
    share = size // devices
    if share * points < LARGE:
        return Velocities(mesh, share)
    # A block must divide the share: the loop over blocks has equal slices.
    fits = [k for k in range(1, share + 1) if share % k == 0 and k * points <= BLOCK]
    return Velocities(mesh, max(fits, default=1))
