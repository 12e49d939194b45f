"""Compiled code kept between processes, so that a second run starts in a fraction of the time."""

from __future__ import annotations

import hashlib
import os
import pathlib
import platform
import sys
import warnings
from collections.abc import MutableMapping
from importlib import metadata

SHORTEST = "0.1"
"""Compilations below so many seconds are not worth a file."""

OFF = ("off", "0", "no", "false", "")


def cache_directory(environment: MutableMapping[str, str]) -> pathlib.Path | None:
    """Where compiled code is kept: a folder for this compiler and this processor, or None.

    `RELAXON_CACHE` names another place than the user's cache directory, or turns it off
    ("off"). Code is kept for one version of jaxlib and one set of processor instructions, so that
    results do not depend on whether it was there (tests/system/test_compilation_cache.py).
    """
    chosen = environment.get("RELAXON_CACHE")
    if chosen is not None and chosen.strip().lower() in OFF:
        return None
    if chosen:
        base = pathlib.Path(chosen).absolute()
    else:
        home = environment.get("HOME") or environment.get("USERPROFILE")
        root = environment.get("XDG_CACHE_HOME") or environment.get("LOCALAPPDATA")
        if not root and not home:
            return None
        base = pathlib.Path(root or pathlib.Path(str(home)) / ".cache") / "relaxon"
    return base / f"jaxlib-{metadata.version('jaxlib')}-{_processor()}"


def keep_compiled_code() -> None:
    """Tell jax where to keep compiled code, unless the user has told it, or nothing can be kept."""
    if "JAX_COMPILATION_CACHE_DIR" in os.environ:
        return
    folder = cache_directory(os.environ)
    if folder is None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return
    if not os.access(folder, os.W_OK):
        return
    # An entry that is damaged, or that another process is just writing, is compiled again.
    warnings.filterwarnings("ignore", "Error (reading|writing) persistent compilation cache")
    settings = {
        "jax_compilation_cache_dir": str(folder),
        "jax_persistent_cache_min_compile_time_secs": SHORTEST,
        "jax_persistent_cache_min_entry_size_bytes": "-1",
    }
    if "jax" in sys.modules:
        config = sys.modules["jax"].config
        kinds = (str, float, int)
        for kind, (name, value) in zip(kinds, settings.items()):
            config.update(name, kind(value))
    else:
        for name, value in settings.items():
            os.environ.setdefault(name.upper(), value)


def _processor() -> str:
    """A short name of the instructions that compiled code may use."""
    described = pathlib.Path("/proc/cpuinfo")
    text = platform.machine() + platform.processor()
    if described.is_file():
        lines = described.read_text().splitlines()
        text += next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return hashlib.sha256(text.encode()).hexdigest()[:12]
