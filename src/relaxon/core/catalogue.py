"""Named things that enter themselves by a decorator: a new one is a new file, and nothing else."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Generic, TypeVar

from relaxon.core.errors import unknown

T = TypeVar("T")


def import_all(package: str) -> None:
    """Import every module of a package, in the order of their names, so that all are entered."""
    found = importlib.import_module(package)
    for module in pkgutil.walk_packages(found.__path__, f"{package}."):
        importlib.import_module(module.name)


class Catalogue(Generic[T]):
    """Things of one kind by name, each entered by the module that defines it.

    The modules of the package are imported when the catalogue is first read, so that whoever does
    not ask does not wait, and a new module need not be named anywhere.

    Attributes:
        kind: What the things are, for the sentence about an unknown name.
        package: Where the modules are that define them.
    """

    def __init__(self, kind: str, package: str):
        self.kind, self.package = kind, package
        self._entries: dict[str, tuple[str, T]] = {}
        self._complete = False

    def enter(self, name: str, module: str, thing: T) -> None:
        """Add what a module defines; a name can be taken once (a reloaded module takes its own)."""
        owner, _ = self._entries.get(name, (module, thing))
        assert owner == module, f"{module} and {owner} both define the {self.kind} {name!r}."
        self._entries[name] = (module, thing)

    def all(self) -> dict[str, T]:
        """Everything by name: module by module in the order of their names, as defined there."""
        if not self._complete:
            import_all(self.package)
            self._complete = True
        entries = sorted(self._entries.items(), key=lambda item: item[1][0])
        return {name: thing for name, (_, thing) in entries}

    def __getitem__(self, name: str) -> T:
        """The thing of that name.

        Raises:
            InputError: There is none; the message names the nearest and lists all.
        """
        things = self.all()
        if name not in things:
            raise unknown(self.kind, name, things)
        return things[name]
