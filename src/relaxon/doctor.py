"""Is this installation sound? Versions, devices, float64, and a problem whose answer is known."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import time

PACKAGES = ("jax", "jaxlib", "equinox", "numpy", "scipy", "xarray", "zarr", "matplotlib")

REFERENCE = 1.703941
"""|F - M|_M at t = 1/2 for delta = 1e-2, alpha = 0.35, by a finite-volume code on two grids."""

TOLERANCE = 1e-5
"""Relative; the reference has six digits and 200 cells are accurate to 2e-6."""


def examine() -> tuple[list[str], bool]:
    """What there is, and whether it works.

    Returns:
        The lines to print, and whether every test passed.
    """
    import jax
    import jax.numpy as jnp

    from relaxon.core.version import VERSION

    lines = [f"relaxon     {VERSION}", f"python      {platform.python_version()}"]
    lines += [f"{name:<11} {importlib.metadata.version(name)}" for name in PACKAGES]
    devices = ", ".join(f"{d.platform} ({d.device_kind})" for d in jax.devices())
    lines.append(f"devices     {devices}; {os.cpu_count()} processor cores")
    double = jnp.ones(()).dtype == jnp.float64
    lines.append(
        "float64     yes"
        if double
        else "float64     NO: jax is in single precision; import relaxon before using jax"
    )
    began = time.perf_counter()
    value, drift, status = _self_test()
    seconds = time.perf_counter() - began
    error = abs(value / REFERENCE - 1)
    passed = status == "DONE" and error < TOLERANCE and drift < 1e-12
    verdict = "passed" if passed else "FAILED"
    lines += [
        f"self-test   {verdict} in {seconds:.1f} s: |F - M|_M = {value:.7f}, reference {REFERENCE}",
        f"            relative error {error:.1e}, drift of the energy {drift:.1e}",
    ]
    return lines, double and passed


def _self_test() -> tuple[float, float, str]:
    from relaxon.cases.catalogue import case

    settings = {"delta": 1e-2, "alpha": 0.35, "n": 200, "times": 2}
    solution = case("blowdown", **settings).solve()
    distance = float(solution.diagnostics["distance_m"][-1])
    return distance, solution.drift("energy"), solution.status.name
