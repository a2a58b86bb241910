"""Imports some modules of a package unchanged, and stubs in place of all others.

The peers' routes need engines that only run on a GPU. With stubs, the routes run without them.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
import sysconfig
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection


class _StubType(type):
    """A stub class: it can be subscripted, and each of its attributes is another stub."""

    def __getattr__(cls, name: str) -> _StubType:
        if name.startswith("__"):
            raise AttributeError(name)
        return _stub(name)

    def __getitem__(cls, _: object) -> _StubType:
        return cls

    def __or__(cls, _: object) -> type:
        return object

    __ror__ = __or__


class _Stub:
    def __init__(self, *_: object, **__: object) -> None: ...

    def __call__(self, *given: Any, **_: object) -> Any:
        return given[0] if given and callable(given[0]) else self  # as a decorator

    def __getattr__(self, name: str) -> _StubType:
        return getattr(type(self), name)


def _stub(name: str) -> _StubType:
    return _StubType(name, (_Stub,), {})


class _StubModule(types.ModuleType):
    def __getattr__(self, name: str) -> _StubType:
        if name.startswith("__"):
            raise AttributeError(name)
        return _stub(name)


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports a stub for each module of the `stubbed` packages that is not in `real`."""

    def __init__(self, real: Collection[str], stubbed: Collection[str]) -> None:
        self._real = real
        self._stubbed = stubbed

    def find_spec(self, fullname: str, *_: object) -> importlib.machinery.ModuleSpec | None:
        is_real = any(f"{name}.".startswith(f"{fullname}.") for name in self._real)
        if is_real or fullname.partition(".")[0] not in self._stubbed:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return _StubModule(spec.name)

    def exec_module(self, module: types.ModuleType) -> None: ...


def stub_others(*, real: Collection[str], stubbed: Collection[str], bare: Collection[str]) -> None:
    """Have all imports of the packages `stubbed` return stubs, except those of the modules `real`.

    `bare`: the packages whose own `__init__` is left out, because it would start the engine.
    """
    for name in bare:
        module = types.ModuleType(name)
        module.__path__ = [str(Path(sysconfig.get_path("purelib"), *name.split(".")))]
        sys.modules[name] = module
    sys.meta_path.insert(0, _Finder(real, stubbed))
